-- One row a finding. Its writer may repeat a finding, so the table joins rows of one event_id; until
-- it has, read it with FINAL.
CREATE TABLE IF NOT EXISTS findings$local $on_cluster
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    event_id UUID,
    occurred_at DateTime64(6, 'UTC'),
    monitor LowCardinality(String),
    monitor_version LowCardinality(String),
    kind LowCardinality(String),
    deployment LowCardinality(String),
    segment Map(LowCardinality(String), String),
    metric LowCardinality(String),
    value Float64,
    `limit` Nullable(Float64),
    baseline Nullable(Float64),
    unit LowCardinality(String),
    samples UInt64,
    since_at Nullable(DateTime64(6, 'UTC')),
    cause String CODEC(ZSTD),
    exemplars Array(String),
    origin Tuple(topic String, partition UInt32, offset UInt64) EPHEMERAL,
    origin_topic LowCardinality(String) DEFAULT origin.topic,
    origin_partition UInt32 DEFAULT origin.partition,
    origin_offset UInt64 DEFAULT origin.offset,
    INDEX by_exemplar exemplars TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = $replacing_merge_tree
PARTITION BY toMonday(occurred_at)
ORDER BY (monitor, deployment, metric, occurred_at, event_id)
TTL toDateTime(occurred_at) + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;
