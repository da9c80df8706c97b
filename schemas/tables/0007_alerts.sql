-- One row a change of an alert, each once when read with FINAL.
CREATE TABLE IF NOT EXISTS alerts$local $on_cluster
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    event_id UUID,
    occurred_at DateTime64(6, 'UTC'),
    alert_id String,
    firing UInt32,
    rule LowCardinality(String),
    state LowCardinality(String),
    severity LowCardinality(String),
    title String,
    cause String CODEC(ZSTD),
    deployment LowCardinality(String),
    monitor LowCardinality(String),
    metric LowCardinality(String),
    segment Map(LowCardinality(String), String),
    value Float64,
    `limit` Nullable(Float64),
    baseline Nullable(Float64),
    unit LowCardinality(String),
    since_at DateTime64(6, 'UTC'),
    fired_at DateTime64(6, 'UTC'),
    exemplars Array(String),
    findings Array(String),
    origin Tuple(topic String, partition UInt32, offset UInt64) EPHEMERAL,
    origin_topic LowCardinality(String) DEFAULT origin.topic,
    origin_partition UInt32 DEFAULT origin.partition,
    origin_offset UInt64 DEFAULT origin.offset,
    INDEX by_exemplar exemplars TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = $replacing_merge_tree
PARTITION BY toMonday(occurred_at)
ORDER BY (alert_id, occurred_at, event_id)
TTL toDateTime(occurred_at) + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;
