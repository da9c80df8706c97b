-- One row a request sent to a pool: where to, why, and which policy applies.
CREATE TABLE IF NOT EXISTS admissions$local $on_cluster
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
    conversation_id String,
    metadata Map(LowCardinality(String), String),
    requested_at DateTime64(3, 'UTC'),
    deadline_at DateTime64(6, 'UTC'),
    origin Tuple(topic String, partition UInt32, offset UInt64) EPHEMERAL,
    origin_topic LowCardinality(String) DEFAULT origin.topic,
    origin_partition UInt32 DEFAULT origin.partition,
    origin_offset UInt64 DEFAULT origin.offset,
    route Tuple(pool String, topic String, difficulty Float32, reason String) EPHEMERAL,
    pool LowCardinality(String) DEFAULT route.pool,
    route_topic LowCardinality(String) DEFAULT route.topic,
    route_reason LowCardinality(String) DEFAULT route.reason,
    difficulty Float32 DEFAULT route.difficulty,
    sampling Tuple(max_tokens UInt32, temperature Float32, top_p Float32) EPHEMERAL,
    max_tokens UInt32 DEFAULT sampling.max_tokens,
    temperature Float32 DEFAULT sampling.temperature,
    top_p Float32 DEFAULT sampling.top_p,
    prompt_sha256 String,
    prompt_chars UInt32,
    INDEX by_request request_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = $merge_tree
PARTITION BY toMonday(appended_at)
ORDER BY (appended_at, kafka_partition, kafka_offset)
TTL toDateTime(appended_at) + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;
