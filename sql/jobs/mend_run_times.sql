-- Correct times of passes that were made while the clock was ahead: now at the latest.
update runs set started_at = least(started_at, $now), finished_at = least(finished_at, $now) where finished_at > $now
