-- One row a readable record of llm.requests.v1, without its text.
CREATE TABLE IF NOT EXISTS requests$local $on_cluster
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
    conversation_id String,
    metadata Map(LowCardinality(String), String),
    deadline_at Nullable(DateTime64(6, 'UTC')),
    prompt_sha256 String,
    prompt_chars UInt32,
    passages UInt16,
    max_tokens UInt32,
    INDEX by_request request_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = $merge_tree
PARTITION BY toMonday(appended_at)
ORDER BY (appended_at, kafka_partition, kafka_offset)
TTL toDateTime(appended_at) + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;
