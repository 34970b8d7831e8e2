-- The evidence before each minute, and whether it can be enough in a bin of it: of no others need windows be looked at.
-- Grain: one row per series and minute that a bin begins in; sums of logarithms in units of 2^-30.
-- Reads: evidence, rules
-- Feeds: evidence_windows
with
evidence as (
    select series, rule, minute_key, gain_1, gain_2, gain_3, gain_4, gain_5, gain_6, gain_7 from evidence
),

-- Windows stand for as many starts as the longest has bins: if each said as much as the best, that has to say so much.
rules as (
    select rule, (max(threshold) * ln(10) - ln(max(window_bins)) - 0.000001) * 1073741824 as least_rise
    from rules where detector = 'sequential' group by rule
),

-- A rise within a minute is no more than its gains without its losses.
minutes as (
    select
        series, rule, minute_key, sum(gain_1) as total_1, sum(gain_2) as total_2, sum(gain_3) as total_3,
        sum(gain_4) as total_4, sum(gain_5) as total_5, sum(gain_6) as total_6, sum(gain_7) as total_7,
        sum(greatest(gain_1, 0)) as climb_1, sum(greatest(gain_2, 0)) as climb_2, sum(greatest(gain_3, 0)) as climb_3,
        sum(greatest(gain_4, 0)) as climb_4, sum(greatest(gain_5, 0)) as climb_5, sum(greatest(gain_6, 0)) as climb_6,
        sum(greatest(gain_7, 0)) as climb_7
    from evidence group by series, rule, minute_key
),

sums as (
    select
        series, rule, minute_key, total_1, total_2, total_3, total_4, total_5, total_6, total_7, climb_1, climb_2,
        climb_3, climb_4, climb_5, climb_6, climb_7, coalesce(sum(total_1) over earlier, 0) as before_1,
        coalesce(sum(total_2) over earlier, 0) as before_2, coalesce(sum(total_3) over earlier, 0) as before_3,
        coalesce(sum(total_4) over earlier, 0) as before_4, coalesce(sum(total_5) over earlier, 0) as before_5,
        coalesce(sum(total_6) over earlier, 0) as before_6, coalesce(sum(total_7) over earlier, 0) as before_7
    from minutes
    window earlier as (partition by series order by minute_key rows between unbounded preceding and 1 preceding)
),

rises as (
    select
        series, rule, minute_key, before_1, before_2, before_3, before_4, before_5, before_6, before_7,
        greatest(
            climb_1, climb_2, climb_3, climb_4, climb_5, climb_6, climb_7,
            before_1 + climb_1 - min(before_1 + total_1 - climb_1) over earlier,
            before_2 + climb_2 - min(before_2 + total_2 - climb_2) over earlier,
            before_3 + climb_3 - min(before_3 + total_3 - climb_3) over earlier,
            before_4 + climb_4 - min(before_4 + total_4 - climb_4) over earlier,
            before_5 + climb_5 - min(before_5 + total_5 - climb_5) over earlier,
            before_6 + climb_6 - min(before_6 + total_6 - climb_6) over earlier,
            before_7 + climb_7 - min(before_7 + total_7 - climb_7) over earlier
        ) as rise
    from sums
    window earlier as (partition by series order by minute_key rows between unbounded preceding and 1 preceding)
)

select
    rises.series, rises.minute_key, rises.minute_key - rises.series * 600000000000 as minute_second,
    rises.rise >= rules.least_rise as is_suspect,
    rises.before_1, rises.before_2, rises.before_3, rises.before_4, rises.before_5, rises.before_6, rises.before_7
from rises
inner join rules on rises.rule = rules.rule
