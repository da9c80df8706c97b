-- What is measured of guards apart from traffic: one row a guard's version and attack. Kept for ever,
-- for versions are compared over years.
CREATE TABLE IF NOT EXISTS evaluations$local $on_cluster
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    event_id UUID,
    occurred_at DateTime64(6, 'UTC'),
    type LowCardinality(String),
    guard LowCardinality(String),
    guard_version LowCardinality(String),
    attack LowCardinality(String),
    kind LowCardinality(String),
    data_version LowCardinality(String),
    threshold Float64,
    samples UInt32,
    found_unattacked UInt32,
    found UInt32,
    queries Float64,
    epsilon Nullable(Float64)
)
ENGINE = $replacing_merge_tree
ORDER BY (guard, guard_version, attack, event_id)
SETTINGS $deduplication;
