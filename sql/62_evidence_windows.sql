-- The evidence of each window that ends in a suspect minute, for each ratio of the grid.
-- Grain: one row per series, judged bin of such a minute, window and place; exp(log_likelihood + log_share) adds up.
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
    select rule, threshold, window_bins, window_bins - lag(window_bins, 1, 0) over lengths as starts
    from rules where detector = 'sequential' window lengths as (partition by rule order by window_bins)
),

hypotheses as (select rule, place, rate_ratio, count(*) over (partition by rule) as places from hypotheses),

windows as (
    select
        evidence.series, evidence.rule, evidence.bin_second, evidence.bin_seconds, rules.window_bins, rules.threshold,
        rules.starts, evidence.bin_key, evidence.bin_key - rules.window_bins * evidence.bin_seconds as before_key
    from evidence
    inner join minutes on evidence.minute_key = minutes.minute_key and evidence.is_judged and minutes.is_suspect
    inner join rules on evidence.rule = rules.rule
),

ends as (select distinct unnest([bin_key, before_key]) as end_key from windows),

-- A window that begins before the data has no bin before it, and does not exist.
sums as (
    select
        ends.end_key, max(m.before_1) + sum(e.gain_1) as sum_1, max(m.before_2) + sum(e.gain_2) as sum_2,
        max(m.before_3) + sum(e.gain_3) as sum_3, max(m.before_4) + sum(e.gain_4) as sum_4,
        max(m.before_5) + sum(e.gain_5) as sum_5, max(m.before_6) + sum(e.gain_6) as sum_6,
        max(m.before_7) + sum(e.gain_7) as sum_7
    from ends
    inner join minutes as m on ends.end_key - ends.end_key % 60 = m.minute_key
    inner join evidence as e on m.minute_key = e.minute_key and ends.end_key >= e.bin_key
    group by ends.end_key having max(e.bin_key) = ends.end_key
)

select
    windows.series, windows.bin_second, windows.bin_seconds, windows.window_bins, windows.threshold, h.place,
    h.rate_ratio, ln(windows.starts) - ln(h.places) as log_share,
    case h.place
        when 1 then b.sum_1 - a.sum_1 when 2 then b.sum_2 - a.sum_2 when 3 then b.sum_3 - a.sum_3
        when 4 then b.sum_4 - a.sum_4 when 5 then b.sum_5 - a.sum_5 when 6 then b.sum_6 - a.sum_6
        else b.sum_7 - a.sum_7
    end / 1073741824 as log_likelihood
from windows
inner join sums as a on windows.before_key = a.end_key
inner join sums as b on windows.bin_key = b.end_key
inner join hypotheses as h on windows.rule = h.rule
