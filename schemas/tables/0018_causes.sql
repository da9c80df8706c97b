-- Where a change sits, when it began and what else changed then. On one server both statements mean the same table.
ALTER TABLE findings$local $on_cluster
    ADD COLUMN IF NOT EXISTS causes Array(Tuple(segment Map(String, String), before Float64, after Float64, samples UInt64, explains Float64, surprise Float64, evidence Float64, exemplars Array(String))),
    ADD COLUMN IF NOT EXISTS changed Tuple(at Nullable(DateTime64(6, 'UTC')), earliest_at Nullable(DateTime64(6, 'UTC')), latest_at Nullable(DateTime64(6, 'UTC'))) EPHEMERAL,
    ADD COLUMN IF NOT EXISTS changed_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.at,
    ADD COLUMN IF NOT EXISTS changed_earliest_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.earliest_at,
    ADD COLUMN IF NOT EXISTS changed_latest_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.latest_at,
    ADD COLUMN IF NOT EXISTS beside Array(String);
ALTER TABLE findings $on_cluster
    ADD COLUMN IF NOT EXISTS causes Array(Tuple(segment Map(String, String), before Float64, after Float64, samples UInt64, explains Float64, surprise Float64, evidence Float64, exemplars Array(String))),
    ADD COLUMN IF NOT EXISTS changed Tuple(at Nullable(DateTime64(6, 'UTC')), earliest_at Nullable(DateTime64(6, 'UTC')), latest_at Nullable(DateTime64(6, 'UTC'))) EPHEMERAL,
    ADD COLUMN IF NOT EXISTS changed_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.at,
    ADD COLUMN IF NOT EXISTS changed_earliest_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.earliest_at,
    ADD COLUMN IF NOT EXISTS changed_latest_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.latest_at,
    ADD COLUMN IF NOT EXISTS beside Array(String);
ALTER TABLE alerts$local $on_cluster
    ADD COLUMN IF NOT EXISTS causes Array(Tuple(segment Map(String, String), before Float64, after Float64, samples UInt64, explains Float64, surprise Float64, evidence Float64, exemplars Array(String))),
    ADD COLUMN IF NOT EXISTS changed Tuple(at Nullable(DateTime64(6, 'UTC')), earliest_at Nullable(DateTime64(6, 'UTC')), latest_at Nullable(DateTime64(6, 'UTC'))) EPHEMERAL,
    ADD COLUMN IF NOT EXISTS changed_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.at,
    ADD COLUMN IF NOT EXISTS changed_earliest_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.earliest_at,
    ADD COLUMN IF NOT EXISTS changed_latest_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.latest_at,
    ADD COLUMN IF NOT EXISTS beside Array(String);
ALTER TABLE alerts $on_cluster
    ADD COLUMN IF NOT EXISTS causes Array(Tuple(segment Map(String, String), before Float64, after Float64, samples UInt64, explains Float64, surprise Float64, evidence Float64, exemplars Array(String))),
    ADD COLUMN IF NOT EXISTS changed Tuple(at Nullable(DateTime64(6, 'UTC')), earliest_at Nullable(DateTime64(6, 'UTC')), latest_at Nullable(DateTime64(6, 'UTC'))) EPHEMERAL,
    ADD COLUMN IF NOT EXISTS changed_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.at,
    ADD COLUMN IF NOT EXISTS changed_earliest_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.earliest_at,
    ADD COLUMN IF NOT EXISTS changed_latest_at Nullable(DateTime64(6, 'UTC')) DEFAULT changed.latest_at,
    ADD COLUMN IF NOT EXISTS beside Array(String);

-- Views know the columns that there were when they were made.
CREATE OR REPLACE VIEW finding_log $on_cluster AS
SELECT * FROM findings FINAL;

CREATE OR REPLACE VIEW alert_log $on_cluster AS
SELECT * FROM alerts FINAL;

CREATE OR REPLACE VIEW open_alerts $on_cluster AS
SELECT * FROM
(
    SELECT * FROM alerts FINAL
    ORDER BY occurred_at DESC, kafka_partition DESC, kafka_offset DESC
    LIMIT 1 BY alert_id
)
WHERE state != 'resolved';
