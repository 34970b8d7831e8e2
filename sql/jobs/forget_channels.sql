-- Delete failures of channels that the settings no longer name.
delete from failing_channels where not list_contains($channels, channel)
