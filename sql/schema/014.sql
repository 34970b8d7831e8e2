-- Channels that do not take notices, since when, and why.
create table failing_channels (channel text not null, failed_since timestamp not null, error text not null);
