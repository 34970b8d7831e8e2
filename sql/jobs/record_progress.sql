-- How far each pair is judged and settled, where a pass has come up to $reached ($last_second: it is through).
-- What it has not reached stays to be judged, so that the next makes up for one that was cut short. A final pass counts
-- for no more than the records show: they may come after all. A pair that is compared no more is remembered until a
-- pass is through; where it is compared again before that, from its beginning. Of the pauses those hold up what is
-- settled that less than merge_seconds were judged after.
insert into progress
with reached as (
    select
        rule, baseline, candidate, settings_hash,
        case
            when complete_until is null then -62135596800
            else greatest(judged_after, least(complete_until, $reached))
        end as judged_until,
        coalesce(is_displaced or not is_current, true) as is_superseded
    from pass_scopes
    where complete_until is not null or $reached < $last_second
),

known as (
    select
        reached.rule, reached.baseline, reached.candidate, reached.judged_until,
        epoch(pauses.from_ts)::bigint as from_second,
        least(epoch(pauses.until_ts)::bigint, reached.judged_until) as until_second
    from reached
    inner join pauses using (baseline, candidate)
    where epoch(pauses.from_ts) < reached.judged_until
),

followed as (
    select
        rule, baseline, candidate, until_second - from_second as seconds,
        judged_until - until_second - coalesce(sum(until_second - from_second) over (
            partition by rule, baseline, candidate
            order by from_second desc rows between unbounded preceding and 1 preceding
        ), 0) as judged_seconds
    from known
),

paused as (
    select rule, baseline, candidate, sum(seconds)::bigint as seconds
    from followed cross join settings
    where judged_seconds < merge_seconds
    group by rule, baseline, candidate
)

select
    reached.rule, reached.baseline, reached.candidate, reached.settings_hash,
    make_timestamp(reached.judged_until * 1000000) as judged_until,
    make_timestamp((reached.judged_until - coalesce(paused.seconds, 0)) * 1000000) as settled_until,
    (select coalesce(max(batch_id), 0) from batches) as seen_batch_id, reached.is_superseded
from reached
left join paused using (rule, baseline, candidate)
