-- Changes of what serves: deployments, rollovers, scale and budgets, all kinds by type.
CREATE TABLE IF NOT EXISTS control$local $on_cluster
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    event_id UUID,
    occurred_at DateTime64(6, 'UTC'),
    type LowCardinality(String),
    deployment LowCardinality(String),
    deployment_version LowCardinality(String),
    previous_version LowCardinality(String),
    policy LowCardinality(String),
    policy_version LowCardinality(String),
    pools Array(LowCardinality(String)),
    candidate_version LowCardinality(String),
    step LowCardinality(String),
    share Nullable(Float64),
    pool LowCardinality(String),
    workers Nullable(UInt32),
    previous_workers Nullable(UInt32),
    workspace LowCardinality(String),
    spent_usd Nullable(Float64),
    cap_usd Nullable(Float64),
    reason String
)
ENGINE = $replacing_merge_tree
PARTITION BY toMonday(occurred_at)
ORDER BY (deployment, occurred_at, event_id)
TTL toDateTime(occurred_at) + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;
