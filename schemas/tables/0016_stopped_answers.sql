-- Answers that a guard ended while they were generated. On one server both statements mean the same table.
ALTER TABLE responses$local $on_cluster
    ADD COLUMN IF NOT EXISTS stopped Tuple(guard String, generated_chars UInt32, released_chars UInt32, hold_back_chars UInt32) EPHEMERAL,
    ADD COLUMN IF NOT EXISTS stopped_by LowCardinality(String) DEFAULT stopped.guard COMMENT 'guard that ended the answer',
    ADD COLUMN IF NOT EXISTS stopped_after_chars UInt32 DEFAULT stopped.generated_chars,
    ADD COLUMN IF NOT EXISTS streamed_chars UInt32 DEFAULT stopped.released_chars COMMENT 'that a following reader had seen';
ALTER TABLE responses $on_cluster
    ADD COLUMN IF NOT EXISTS stopped Tuple(guard String, generated_chars UInt32, released_chars UInt32, hold_back_chars UInt32) EPHEMERAL,
    ADD COLUMN IF NOT EXISTS stopped_by LowCardinality(String) DEFAULT stopped.guard COMMENT 'guard that ended the answer',
    ADD COLUMN IF NOT EXISTS stopped_after_chars UInt32 DEFAULT stopped.generated_chars,
    ADD COLUMN IF NOT EXISTS streamed_chars UInt32 DEFAULT stopped.released_chars COMMENT 'that a following reader had seen';
