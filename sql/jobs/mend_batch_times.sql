-- Correct times of batches that were loaded while the clock was ahead: now at the latest.
update batches set loaded_at = $now where loaded_at > $now
