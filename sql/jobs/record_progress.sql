-- Store how far each pair is judged and settled, when a pass has reached $reached ($last_second: it is complete).
-- The rest stays to be judged, so the next pass continues one that was interrupted. A final pass counts only up to the
-- last records, because more may come after all. A pair that is no longer compared keeps its row until a pass is
-- complete; if it is compared again before, it is judged from its beginning. Pauses after which less than merge_seconds
-- were judged delay settled_until.
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
