-- The series whose evidence may be enough in a judged bin, by sums of minutes: no others need be looked at closely.
-- Grain: one row per series.
-- Reads: gains, judged_bins, rules
-- Feeds: suspect_bins
with
gains as (select * from gains),

judged_bins as (select * from judged_bins where detector = 'sequential' and is_judged),

rules as (select rule, bin_seconds, threshold from rules where detector = 'sequential'),

scopes as (
    select rule, pair_id, min(bin_second) as first_second, max(bin_second) as last_second
    from judged_bins group by rule, pair_id
),

minutes as (
    select
        series, rate_ratio, cast(floor(bin_second / 60) as bigint) * 60 as minute_second, max(rule) as rule,
        max(pair_id) as pair_id, sum(gain) as total, sum(greatest(gain, 0)) as climb, sum(usual_loss) as usual_loss
    from gains group by series, rate_ratio, cast(floor(bin_second / 60) as bigint) * 60
),

sums as (
    select
        series, rule, pair_id, rate_ratio, minute_second, climb, total - climb as fall,
        sum(total) over by_minute - total as before,
        lead(minute_second, 1, 253402300799) over by_minute as next_second,
        sum(usual_loss) over (
            partition by series, rate_ratio order by minute_second range between 3540 preceding and 60 preceding
        ) as usual_loss
    from minutes window by_minute as (partition by series, rate_ratio order by minute_second)
),

-- A rise up to within this minute, from within an earlier one or from within itself: gains without losses.
rises as (
    select
        series, rule, pair_id, minute_second, next_second,
        climb + greatest(before - coalesce(min(before + fall) over (
            partition by series, rate_ratio order by minute_second rows between unbounded preceding and 1 preceding
        ), before), 0) as rise,
        -- Until the next error the hour may empty itself.
        case when next_second > minute_second + 60 then 0 else coalesce(usual_loss, 0) end as usual_loss
    from sums
),

limits as (
    select
        rises.series, rises.rise / 1073741824 as nats, greatest(
            86400 / rules.bin_seconds,
            pow(10, rules.threshold)
            * least(1, 3 * rises.usual_loss / nullif((3600 / rules.bin_seconds + 1) * 1073741824, 0))
        ) as least_limit
    from rises
    inner join rules on rises.rule = rules.rule
    inner join scopes on rises.rule = scopes.rule and rises.pair_id = scopes.pair_id
    where rises.next_second > scopes.first_second and rises.minute_second <= scopes.last_second
)

select distinct series from limits where nats >= ln(least_limit) - 0.000001
