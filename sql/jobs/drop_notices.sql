-- Drop waiting notices of channels that the settings no longer name.
update notices set is_held_back = true, taken_at = $now
where taken_at is null and not list_contains($channels, channel)
