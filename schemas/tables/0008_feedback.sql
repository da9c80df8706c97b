-- What people and the loop of improvement say, all kinds by type; empty columns belong to other kinds.
CREATE TABLE IF NOT EXISTS feedback$local $on_cluster
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    event_id UUID,
    occurred_at DateTime64(6, 'UTC'),
    type LowCardinality(String),
    request_id String,
    workspace LowCardinality(String) DEFAULT if(type = 'feedback_received', 'default', ''),
    deployment LowCardinality(String) DEFAULT if(type = 'feedback_received', 'default', ''),
    author String,
    label LowCardinality(String),
    guard LowCardinality(String),
    rating Nullable(UInt8),
    edit_masked String CODEC(ZSTD),
    alert_id String,
    note String,
    target LowCardinality(String),
    to_version LowCardinality(String),
    reason String,
    evidence Array(String),
    INDEX by_request request_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = $replacing_merge_tree
PARTITION BY toMonday(occurred_at)
ORDER BY (occurred_at, event_id)
TTL toDateTime(occurred_at) + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;
