-- Why a channel did not take what waits for it.
update notices set error = $error where channel = $channel and taken_at is null
