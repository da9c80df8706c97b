-- One row a text that guards read; one row a verdict beside it, made by the view.
CREATE TABLE IF NOT EXISTS scans$local $on_cluster
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    event_id UUID,
    occurred_at DateTime64(6, 'UTC'),
    request_id String,
    workspace LowCardinality(String),
    deployment LowCardinality(String),
    deployment_version LowCardinality(String),
    policy LowCardinality(String),
    policy_version LowCardinality(String),
    direction LowCardinality(String),
    text_index UInt16,
    text_sha256 String,
    verdicts Array(Tuple(
        guard String,
        guard_version String,
        outcome String,
        score Float32,
        threshold Float32,
        spans Array(Tuple(start UInt32, end UInt32, label String)),
        scanned_chars UInt32,
        total_chars UInt32,
        latency_ms Float32,
        reason String,
        failed String)) CODEC(ZSTD),
    origin Tuple(topic String, partition UInt32, offset UInt64) EPHEMERAL,
    origin_topic LowCardinality(String) DEFAULT origin.topic,
    origin_partition UInt32 DEFAULT origin.partition,
    origin_offset UInt64 DEFAULT origin.offset,
    INDEX by_request request_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = $merge_tree
PARTITION BY toMonday(appended_at)
ORDER BY (appended_at, kafka_partition, kafka_offset)
TTL toDateTime(appended_at) + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS verdicts$local $on_cluster
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    event_id UUID COMMENT 'of the scan; with guard it is unique',
    occurred_at DateTime64(6, 'UTC'),
    request_id String,
    workspace LowCardinality(String),
    deployment LowCardinality(String),
    deployment_version LowCardinality(String),
    policy LowCardinality(String),
    policy_version LowCardinality(String),
    direction LowCardinality(String),
    text_index UInt16,
    text_sha256 String,
    guard LowCardinality(String),
    guard_version LowCardinality(String),
    outcome LowCardinality(String),
    score Float32,
    threshold Float32,
    spans Array(Tuple(start UInt32, end UInt32, label String)),
    scanned_chars UInt32,
    total_chars UInt32,
    latency_ms Float32,
    reason LowCardinality(String),
    failed LowCardinality(String),
    INDEX by_request request_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = $merge_tree
PARTITION BY toMonday(appended_at)
ORDER BY (appended_at, kafka_partition, kafka_offset)
TTL toDateTime(appended_at) + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS verdicts_of_scans$local $on_cluster TO verdicts$local AS
SELECT
    kafka_topic, kafka_partition, kafka_offset, appended_at, event_id, occurred_at,
    request_id, workspace, deployment, deployment_version, policy, policy_version,
    direction, text_index, text_sha256,
    verdict.guard AS guard,
    verdict.guard_version AS guard_version,
    verdict.outcome AS outcome,
    verdict.score AS score,
    verdict.threshold AS threshold,
    verdict.spans AS spans,
    verdict.scanned_chars AS scanned_chars,
    verdict.total_chars AS total_chars,
    verdict.latency_ms AS latency_ms,
    verdict.reason AS reason,
    verdict.failed AS failed
FROM scans$local
ARRAY JOIN verdicts AS verdict;
