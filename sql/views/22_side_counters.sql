-- The counters of each side of a comparison; those of days before are moved forward by lag_seconds.
-- Grain: one row per build or side, second (epoch), code and batch.
-- Reads: counters, sides
-- Feeds: presence, pair_steps
select s.side as build, cast(floor(epoch(c.second)) as bigint) + s.lag_seconds as second, c.code, c.errors
from counters as c inner join sides as s on c.build = s.build
