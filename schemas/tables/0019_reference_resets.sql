-- Which series of a deployment is to be learned anew; empty means all of them.
ALTER TABLE feedback$local $on_cluster
    ADD COLUMN IF NOT EXISTS series LowCardinality(String);
ALTER TABLE feedback $on_cluster
    ADD COLUMN IF NOT EXISTS series LowCardinality(String);
