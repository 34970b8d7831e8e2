-- The counters of a pair that no draw changes.
create or replace temp table others as
select * from originals -- noqa: AM04
where build in ($baseline, $candidate) and (epoch(second) < $from_second or epoch(second) >= $until_second)
order by second
