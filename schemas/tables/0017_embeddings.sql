-- One row a masked text that was embedded. `vector` is the base64 of little-endian float16; at 20
-- texts a second that is about 1.5 GB a day, so rows go after two weeks.
CREATE TABLE IF NOT EXISTS embeddings$local $on_cluster
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
    conversation_id Nullable(String),
    requested_at DateTime64(6, 'UTC'),
    direction LowCardinality(String),
    topic LowCardinality(Nullable(String)),
    text_sha256 String,
    model LowCardinality(String),
    vector String CODEC(ZSTD),
    share Float32,
    latency_ms Float32,
    origin Tuple(topic String, partition UInt32, offset UInt64) EPHEMERAL,
    origin_topic LowCardinality(String) DEFAULT origin.topic,
    origin_partition UInt32 DEFAULT origin.partition,
    origin_offset UInt64 DEFAULT origin.offset,
    INDEX by_request request_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = $merge_tree
PARTITION BY toMonday(appended_at)
ORDER BY (appended_at, kafka_partition, kafka_offset)
TTL toDateTime(appended_at) + INTERVAL 14 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;
