-- Counts and quantile states a minute, kept up by the inserts themselves. They are fed by tables
-- whose writer never repeats a row, so nothing is counted twice.
CREATE TABLE IF NOT EXISTS responses_per_minute$local $on_cluster
(
    minute DateTime('UTC'),
    deployment LowCardinality(String),
    pool LowCardinality(String),
    model LowCardinality(String),
    status LowCardinality(String),
    failure_reason LowCardinality(String),
    responses SimpleAggregateFunction(sum, UInt64),
    prompt_tokens SimpleAggregateFunction(sum, UInt64),
    completion_tokens SimpleAggregateFunction(sum, UInt64),
    cached_tokens SimpleAggregateFunction(sum, UInt64),
    latency_s AggregateFunction(quantilesTDigest(0.5, 0.9, 0.99), Float64),
    ttft_s AggregateFunction(quantilesTDigest(0.5, 0.9, 0.99), Nullable(Float64)),
    tpot_s AggregateFunction(quantilesTDigest(0.5, 0.9, 0.99), Nullable(Float64))
)
ENGINE = $aggregating_merge_tree
PARTITION BY toMonday(minute)
ORDER BY (minute, deployment, pool, model, status, failure_reason)
TTL minute + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS responses_by_minute$local $on_cluster
TO responses_per_minute$local AS
SELECT
    toStartOfMinute(appended_at) AS minute,
    deployment, pool, model, status, failure_reason,
    count() AS responses,
    sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(cached_tokens) AS cached_tokens,
    quantilesTDigestState(0.5, 0.9, 0.99)(responses$local.latency_s) AS latency_s,
    quantilesTDigestState(0.5, 0.9, 0.99)(responses$local.ttft_s) AS ttft_s,
    quantilesTDigestState(0.5, 0.9, 0.99)(responses$local.tpot_s) AS tpot_s
FROM responses$local
GROUP BY minute, deployment, pool, model, status, failure_reason;

CREATE TABLE IF NOT EXISTS verdicts_per_minute$local $on_cluster
(
    minute DateTime('UTC'),
    deployment LowCardinality(String),
    guard LowCardinality(String),
    guard_version LowCardinality(String),
    direction LowCardinality(String),
    outcome LowCardinality(String),
    verdicts SimpleAggregateFunction(sum, UInt64),
    scanned_chars SimpleAggregateFunction(sum, UInt64),
    total_chars SimpleAggregateFunction(sum, UInt64),
    latency_ms AggregateFunction(quantilesTDigest(0.5, 0.9, 0.99), Float32)
)
ENGINE = $aggregating_merge_tree
PARTITION BY toMonday(minute)
ORDER BY (minute, deployment, guard, guard_version, direction, outcome)
TTL minute + INTERVAL 90 DAY
SETTINGS $deduplication, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS verdicts_by_minute$local $on_cluster
TO verdicts_per_minute$local AS
SELECT
    toStartOfMinute(appended_at) AS minute,
    deployment, guard, guard_version, direction, outcome,
    count() AS verdicts,
    sum(scanned_chars) AS scanned_chars,
    sum(total_chars) AS total_chars,
    quantilesTDigestState(0.5, 0.9, 0.99)(verdicts$local.latency_ms) AS latency_ms
FROM verdicts$local
GROUP BY minute, deployment, guard, guard_version, direction, outcome;
