-- The evidence of each window that ends in a suspect bin, for each ratio of the grid.
-- Grain: one row per series, suspect bin, length of window and place in the grid; term is its share of the sum.
-- Reads: evidence, suspects, rules, hypotheses
-- Feeds: verdicts
with
-- One number for series and bin: engines would else join a bin with all others of its series first.
evidence as (
    select series * 1000000000000 + bin_second as bin_key, sum_1, sum_2, sum_3, sum_4, sum_5, sum_6, sum_7 from evidence
),

suspects as (select series, rule, bin_second, bin_seconds from suspects),

rules as (
    select
        rule, threshold, window_bins,
        window_bins - lag(window_bins, 1, 0) over (partition by rule order by window_bins) as starts
    from rules
    where detector = 'sequential'
),

hypotheses as (select rule, place, rate_ratio, count(*) over (partition by rule) as places from hypotheses),

windows as (
    select distinct
        suspects.series, suspects.rule, suspects.bin_second, suspects.bin_seconds, rules.window_bins, rules.threshold,
        rules.starts, suspects.series * 1000000000000 + suspects.bin_second as stop_key,
        suspects.series * 1000000000000 + suspects.bin_second - rules.window_bins * suspects.bin_seconds as before_key
    from suspects inner join rules on suspects.rule = rules.rule
),

-- Windows that begin before the data have no bin before them, and do not exist.
gains as (
    select
        windows.series, windows.rule, windows.bin_second, windows.bin_seconds, windows.window_bins, windows.threshold,
        windows.starts,
        stops.sum_1 - befores.sum_1 as gain_1, stops.sum_2 - befores.sum_2 as gain_2,
        stops.sum_3 - befores.sum_3 as gain_3, stops.sum_4 - befores.sum_4 as gain_4,
        stops.sum_5 - befores.sum_5 as gain_5, stops.sum_6 - befores.sum_6 as gain_6,
        stops.sum_7 - befores.sum_7 as gain_7
    from windows
    inner join evidence as stops on windows.stop_key = stops.bin_key
    inner join evidence as befores on windows.before_key = befores.bin_key
),

likelihoods as (
    select
        gains.series, gains.bin_second, gains.bin_seconds, gains.window_bins, gains.threshold, gains.starts,
        hypotheses.place, hypotheses.places, hypotheses.rate_ratio,
        case hypotheses.place
            when 1 then gains.gain_1 when 2 then gains.gain_2 when 3 then gains.gain_3 when 4 then gains.gain_4
            when 5 then gains.gain_5 when 6 then gains.gain_6 else gains.gain_7
        end / 1073741824 as log_likelihood
    from gains
    inner join hypotheses on gains.rule = hypotheses.rule
)

select
    series, bin_second, bin_seconds, window_bins, threshold, place, rate_ratio, log_likelihood,
    log_likelihood + ln(starts) - ln(places) as term
from likelihoods
