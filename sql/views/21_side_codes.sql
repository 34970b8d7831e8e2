-- When each side of a comparison first sent a code, and in which of 256 groups the code votes.
-- Grain: one row per side and code, with the epoch second of its first record; year 1 if retention has removed it.
-- Reads: codes, sides
-- Feeds: estimates
select
    s.side, c.code, cast(min(coalesce(epoch(c.first_second), -62135596800) + s.lag_seconds) as bigint) as first_second,
    substr(md5(c.code), 1, 2) as code_group
from codes as c inner join sides as s on c.build = s.build
group by s.side, c.code
