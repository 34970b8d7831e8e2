-- How the feeds of $sources go at $now, those with a trouble first. $waiting: sources of which something waits to be
-- read. A pause lies between two deliveries with newer records than all before; it is as long as it took, or as the
-- records say that the delivery makes up for. Pauses are alike that began at most two hours earlier or later in the
-- day; those of $days count.
with deliveries as (
    select
        source, loaded_at, records, max_ts,
        max(max_ts) over (
            partition by source order by batch_id rows between unbounded preceding and 1 preceding
        ) as before_ts
    from batches
    where records > 0 and source in (select unnest($sources))
),

news as (
    select
        source, loaded_at, records, max_ts, epoch(loaded_at) - epoch(max_ts) as lag_seconds,
        greatest(
            epoch(lead(loaded_at) over later) - epoch(loaded_at), epoch(lead(max_ts) over later) - epoch(max_ts)
        ) as pause_seconds
    from deliveries
    where before_ts is null or max_ts > before_ts
    window later as (partition by source order by loaded_at, max_ts)
),

lasts as (
    select
        source, max(max_ts) as last_ts, max(loaded_at) as loaded_at,
        arg_max(lag_seconds, (loaded_at, max_ts)) as lag_seconds
    from news
    group by source
),

recent as (
    select
        news.source, news.records, news.max_ts, news.lag_seconds, news.pause_seconds,
        abs(epoch(lasts.loaded_at) - epoch(news.loaded_at)) % 86400 not between 7200 and 79200 as is_alike,
        news.max_ts = min(news.max_ts) over (partition by news.source) as is_first
    from news
    inner join lasts using (source)
    where news.loaded_at >= lasts.loaded_at - to_days($days)
),

habits as (
    select
        source,
        coalesce((max(pause_seconds, 2) filter (is_alike))[2], max(pause_seconds, 2)[2]) as pause_seconds,
        quantile_disc(lag_seconds, 0.95) filter (pause_seconds is not null) as lag_seconds,
        sum(records) filter (not is_first) / nullif(epoch(max(max_ts)) - epoch(min(max_ts)), 0) as records_per_second
    from recent
    group by source
),

feeds as (
    select
        source, lasts.last_ts, lasts.loaded_at, lasts.lag_seconds, habits.lag_seconds as usual_lag_seconds,
        habits.pause_seconds as usual_pause_seconds, epoch($now::timestamp) - epoch(lasts.loaded_at) as waited_seconds,
        records_per_second * (epoch($now::timestamp) - epoch(lasts.last_ts)) as expected_records
    from lasts
    left join habits using (source)
)

select
    source, last_ts, loaded_at, lag_seconds::bigint as lag_seconds, usual_lag_seconds::bigint as usual_lag_seconds,
    usual_pause_seconds::bigint as usual_pause_seconds, expected_records::bigint as expected_records,
    coalesce(
        usual_pause_seconds is not null and waited_seconds > 2 * greatest(usual_pause_seconds, 60)
        and expected_records >= 20 and source not in (select unnest($waiting)), false
    ) as is_silent,
    coalesce(usual_pause_seconds is not null and lag_seconds > 2 * greatest(usual_lag_seconds, 60), false) as is_late
from feeds
order by is_silent desc, is_late desc, source asc
