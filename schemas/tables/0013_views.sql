-- What dashboards ask for most, ready to select from.

-- One row a record of llm.requests.v1 and how it ended; in_flight if it has not.
CREATE VIEW IF NOT EXISTS request_outcomes $on_cluster AS
SELECT
    request_partition,
    request_offset,
    max(id) AS request_id,
    max(served_by) AS deployment,
    min(at) AS requested_at,
    countIf(kind = 'response') AS responses,
    countIf(kind = 'dead_letter') AS dead_letters,
    multiIf(
        responses > 1, 'answered_twice',
        responses = 1, anyIf(word, kind = 'response'),
        dead_letters > 0, anyIf(word, kind = 'dead_letter'),
        'in_flight') AS outcome
FROM
(
    SELECT
        kafka_partition AS request_partition, kafka_offset AS request_offset, request_id AS id,
        deployment AS served_by, appended_at AS at, 'request' AS kind, '' AS word
    FROM requests
    UNION ALL
    SELECT
        request_partition, request_offset, request_id AS id,
        deployment AS served_by, requested_at AS at, 'response' AS kind, toString(status) AS word
    FROM responses
    WHERE request_topic = 'llm.requests.v1'
    UNION ALL
    SELECT
        origin_partition AS request_partition, origin_offset AS request_offset, request_id AS id,
        '' AS served_by, origin_appended_at AS at, 'dead_letter' AS kind, toString(reason) AS word
    FROM dead_letters
    WHERE origin_topic = 'llm.requests.v1'
)
GROUP BY request_partition, request_offset;

-- How many records ended how, by deployment and hour of the request.
CREATE VIEW IF NOT EXISTS accounting $on_cluster AS
SELECT
    toStartOfHour(requested_at) AS hour,
    deployment,
    count() AS requests,
    countIf(outcome = 'released') AS released,
    countIf(outcome = 'masked') AS masked,
    countIf(outcome = 'withheld') AS withheld,
    countIf(outcome = 'blocked') AS blocked,
    countIf(outcome = 'failed') AS failed,
    countIf(responses = 0 AND dead_letters > 0) AS only_dead_letter,
    countIf(outcome = 'in_flight') AS in_flight,
    countIf(outcome = 'answered_twice') AS answered_twice
FROM request_outcomes
GROUP BY hour, deployment;

-- Quantiles of latency in seconds, by minute, deployment and pool.
CREATE VIEW IF NOT EXISTS latency $on_cluster AS
SELECT
    minute,
    deployment,
    pool,
    sum(r.responses) AS responses,
    sum(r.completion_tokens) AS completion_tokens,
    quantilesTDigestMerge(0.5, 0.9, 0.99)(r.latency_s) AS latencies,
    quantilesTDigestMerge(0.5, 0.9, 0.99)(r.ttft_s) AS ttfts,
    quantilesTDigestMerge(0.5, 0.9, 0.99)(r.tpot_s) AS tpots,
    latencies[1] AS latency_p50_s,
    latencies[2] AS latency_p90_s,
    latencies[3] AS latency_p99_s,
    ttfts[1] AS ttft_p50_s,
    ttfts[2] AS ttft_p90_s,
    ttfts[3] AS ttft_p99_s,
    tpots[1] AS tpot_p50_s,
    tpots[2] AS tpot_p90_s,
    tpots[3] AS tpot_p99_s
FROM responses_per_minute AS r
GROUP BY minute, deployment, pool;

-- What each guard found, by minute, deployment and side of the model.
CREATE VIEW IF NOT EXISTS guard_rates $on_cluster AS
SELECT
    minute,
    deployment,
    guard,
    direction,
    sum(v.verdicts) AS verdicts,
    sumIf(v.verdicts, outcome = 'pass') AS passed,
    sumIf(v.verdicts, outcome = 'not_scanned') AS not_scanned,
    verdicts - passed - not_scanned AS spoke,
    spoke / verdicts AS spoke_rate,
    sum(v.scanned_chars) / greatest(sum(v.total_chars), 1) AS scanned_rate,
    quantilesTDigestMerge(0.5, 0.9, 0.99)(v.latency_ms)[3] AS latency_p99_ms
FROM verdicts_per_minute AS v
GROUP BY minute, deployment, guard, direction;

-- Every finding once.
CREATE VIEW IF NOT EXISTS finding_log $on_cluster AS
SELECT * FROM findings FINAL;

-- Every change of an alert once.
CREATE VIEW IF NOT EXISTS alert_log $on_cluster AS
SELECT * FROM alerts FINAL;

-- The alerts that have not ended, as they stand.
CREATE VIEW IF NOT EXISTS open_alerts $on_cluster AS
SELECT * FROM
(
    SELECT * FROM alerts FINAL
    ORDER BY occurred_at DESC, kafka_partition DESC, kafka_offset DESC
    LIMIT 1 BY alert_id
)
WHERE state != 'resolved';
