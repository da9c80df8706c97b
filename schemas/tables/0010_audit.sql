-- The hash-chained record of changes of state. It is kept for ever: a chain without its beginning
-- proves nothing.
CREATE TABLE IF NOT EXISTS audit$local $on_cluster
(
    kafka_topic LowCardinality(String),
    kafka_partition UInt32,
    kafka_offset UInt64,
    appended_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    event_id UUID,
    occurred_at DateTime64(6, 'UTC'),
    workspace LowCardinality(String),
    sequence UInt64,
    actor String,
    action LowCardinality(String),
    subject String,
    details Map(LowCardinality(String), String),
    previous_sha256 String,
    sha256 String
)
ENGINE = $replacing_merge_tree
ORDER BY (workspace, sequence, event_id)
SETTINGS $deduplication;
