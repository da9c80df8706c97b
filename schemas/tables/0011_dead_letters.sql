-- One row a record set aside, without its bytes.
CREATE TABLE IF NOT EXISTS dead_letters$local $on_cluster
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    event_id UUID,
    occurred_at DateTime64(6, 'UTC'),
    reason LowCardinality(String),
    detail String,
    consumer LowCardinality(String),
    request_id String,
    origin Tuple(topic String, partition UInt32, offset UInt64) EPHEMERAL,
    origin_topic LowCardinality(String) DEFAULT origin.topic,
    origin_partition UInt32 DEFAULT origin.partition,
    origin_offset UInt64 DEFAULT origin.offset,
    origin_appended_at DateTime64(3, 'UTC'),
    value_bytes UInt32,
    INDEX by_request request_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = $merge_tree
PARTITION BY toMonday(appended_at)
ORDER BY (appended_at, kafka_partition, kafka_offset)
TTL toDateTime(appended_at) + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;
