-- What was loaded by a clock that was ahead was loaded now at the latest.
update batches set loaded_at = $now where loaded_at > $now
