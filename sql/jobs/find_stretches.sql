-- The stretches of time that a pass must judge: (after_second, until_second]; after the last, which is_open, nothing
-- was judged. A late record changes bins up to an hour before it, because a gap may close, and bins up to $reach
-- seconds after it, which look back on it. It changes no others, unless it may have moved the beginning of a
-- comparison. If the input is complete, the last bins end up to $widest seconds after the last record.
create or replace temp table stretches as
with known as (
    select
        scopes.rule, scopes.baseline, scopes.candidate, scopes.judged_after, scopes.judged_until, pairs.lag_seconds,
        cast(floor(epoch(progress.judged_until)) as bigint) as known_until, progress.seen_batch_id,
        epoch(progress.judged_until) - 86400 * settings.late_limit_days as late_second,
        pairs.users_known_second is not null or unfounded.rule is not null
        or coalesce(progress.settings_hash <> scopes.settings_hash, true) as is_whole
    from pass_scopes as scopes
    left join settings on true
    left join progress using (rule, baseline, candidate)
    left join unfounded using (rule, baseline, candidate)
    left join compared_pairs as pairs using (baseline, candidate)
    where scopes.judged_after < scopes.judged_until
),

-- What a pass has seen ends at seen_ts.
seen as (
    select max(max_ts) as seen_ts, (select min(known.seen_batch_id) from known) as first_id
    from batches
    where batch_id <= (select max(known.seen_batch_id) from known)
),

-- Unseen batches with records from before that. By batch number DuckDB skips the other counters.
fresh as (
    select batches.batch_id, seen.seen_ts
    from batches inner join seen on batches.batch_id > seen.first_id
    where date_trunc('second', batches.min_ts) <= seen.seen_ts
),

late as (
    select
        cast(floor(epoch(counters.second) / 60) * 60 as bigint) as second, counters.build,
        bool_or(counters.second <= coalesce(builds.since_second, builds.first_second)) as is_early
    from counters
    inner join fresh on counters.batch_id = fresh.batch_id and counters.second <= fresh.seen_ts
    left join builds using (build)
    group by all
),

moved as (
    select distinct known.rule, known.baseline, known.candidate
    from known inner join late on late.build in (known.baseline, known.candidate) or known.lag_seconds > 0
    where late.is_early
),

lags as (
    select 0 as seconds
    union distinct
    select lag_seconds as seconds from known where lag_seconds > 0
),

bounds as (
    select
        known.rule, known.baseline, known.candidate, known.judged_until, known.judged_until as until_second, case
            when known.is_whole or moved.rule is not null then known.judged_after
            else greatest(known.judged_after, known.known_until)
        end as after_second
    from known left join moved using (rule, baseline, candidate)
    union all
    select
        known.rule, known.baseline, known.candidate, known.judged_until,
        least(known.judged_until, late.second + lags.seconds + 60 + $reach) as until_second,
        greatest(known.judged_after, late.second + lags.seconds - 3600) as after_second
    from known
    inner join lags on lags.seconds in (0, known.lag_seconds)
    inner join late on known.late_second <= late.second
),

clipped as (
    select
        bounds.until_second >= bounds.judged_until as is_open,
        greatest(bounds.after_second, least(span.first_second, unfounded.after_second)) as after_second,
        least(bounds.until_second, greatest(span.end_second + $widest, unfounded.until_second)) as until_second
    from bounds left join unfounded using (rule, baseline, candidate) left join span on true
),

reaches as (
    select
        after_second, until_second, is_open, max(until_second) over (
            order by after_second, until_second rows between unbounded preceding and 1 preceding
        ) as reach
    from clipped where after_second < until_second
),

islands as (
    select
        after_second, until_second, is_open,
        sum(case when after_second <= reach then 0 else 1 end) over (order by after_second, until_second) as island
    from reaches
)

select min(after_second) as after_second, max(until_second) as until_second, bool_or(is_open) as is_open
from islands
group by island
