-- What was judged by a clock that was ahead was judged by now.
update runs set started_at = least(started_at, $now), finished_at = least(finished_at, $now) where finished_at > $now
