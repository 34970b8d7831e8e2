-- The evidence of each window that ends in a suspect minute, for each ratio of the grid.
-- Grain: one row per series, judged bin of such a minute and window; without log_share where it only tells of an end.
-- Reads: evidence, evidence_minutes, rules, hypotheses
-- Feeds: verdicts
with
evidence as (
    select
        series, rule, bin_second, bin_seconds, is_judged, bin_key, minute_key, gain_1, gain_2, gain_3, gain_4, gain_5,
        gain_6, gain_7
    from evidence
),

minutes as (
    select minute_key, is_suspect, before_1, before_2, before_3, before_4, before_5, before_6, before_7
    from evidence_minutes
),

rules as (
    select rule, threshold, window_bins, window_bins - lag(window_bins, 1, 0) over by_length as starts
    from rules where detector = 'sequential' window by_length as (partition by rule order by window_bins)
),

hypotheses as (select rule, count(*) as places from hypotheses group by rule),

lengths as (
    select
        r.rule, r.threshold, r.window_bins - cast(floor(r.starts * t.third / 3) as bigint) as window_bins,
        case when t.third = 0 then ln(r.starts) - ln(h.places) end as log_share
    from rules as r inner join hypotheses as h on r.rule = h.rule cross join unnest([0, 1, 2]) as t (third)
    where t.third = 0 or r.starts * t.third >= 3
),

windows as (
    select
        e.series, e.rule, e.bin_second, e.bin_seconds, e.bin_key, lengths.window_bins, lengths.threshold,
        lengths.log_share, e.bin_key - lengths.window_bins * e.bin_seconds as before_key
    from evidence as e inner join minutes as m on e.minute_key = m.minute_key and e.is_judged and m.is_suspect
    inner join lengths on e.rule = lengths.rule
),

ends as (select distinct unnest([bin_key, before_key]) as end_key from windows),

sums as (
    select
        ends.end_key, max(m.before_1) + sum(e.gain_1) as sum_1, max(m.before_2) + sum(e.gain_2) as sum_2,
        max(m.before_3) + sum(e.gain_3) as sum_3, max(m.before_4) + sum(e.gain_4) as sum_4,
        max(m.before_5) + sum(e.gain_5) as sum_5, max(m.before_6) + sum(e.gain_6) as sum_6,
        max(m.before_7) + sum(e.gain_7) as sum_7
    from ends inner join minutes as m on ends.end_key - ends.end_key % 60 = m.minute_key
    inner join evidence as e on m.minute_key = e.minute_key and ends.end_key >= e.bin_key
    group by ends.end_key having max(e.bin_key) = ends.end_key -- none before the data
)

select
    w.series, w.rule, w.bin_second, w.bin_seconds, w.window_bins, w.threshold, w.log_share,
    (b.sum_1 - a.sum_1) / 1073741824 as nats_1, (b.sum_2 - a.sum_2) / 1073741824 as nats_2,
    (b.sum_3 - a.sum_3) / 1073741824 as nats_3, (b.sum_4 - a.sum_4) / 1073741824 as nats_4,
    (b.sum_5 - a.sum_5) / 1073741824 as nats_5, (b.sum_6 - a.sum_6) / 1073741824 as nats_6,
    (b.sum_7 - a.sum_7) / 1073741824 as nats_7
from windows as w inner join sums as a on w.before_key = a.end_key inner join sums as b on w.bin_key = b.end_key
