-- How sure a finding is that it is no chance. On one server both statements mean the same table.
ALTER TABLE findings$local $on_cluster ADD COLUMN IF NOT EXISTS e_value Nullable(Float64) AFTER samples;
ALTER TABLE findings $on_cluster ADD COLUMN IF NOT EXISTS e_value Nullable(Float64) AFTER samples;
