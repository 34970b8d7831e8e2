-- Whether channels that the settings no longer name take notices.
delete from failing_channels where not list_contains($channels, channel)
