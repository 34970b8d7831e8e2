-- The gains of suspect series in bins with errors of the code and, as zero, in all bins that are judged.
-- Grain: one row per series, ratio and bin; natural logarithms in units of 2^-30.
-- Reads: gains, suspects, bins, judged_bins, rules, hypotheses
-- Feeds: evidence
with
gains as (select * from gains),

suspects as (select * from suspects),

bins as (select distinct series, rule, pair_id, code from bins where detector = 'sequential'),

judged_bins as (select * from judged_bins where detector = 'sequential'),

rules as (select rule, window_bins, threshold from rules where detector = 'sequential'),

hypotheses as (select * from hypotheses),

own as (
    select gains.series, gains.rate_ratio, gains.bin_second, gains.gain, gains.usual_loss
    from suspects inner join gains on suspects.series = gains.series
)

-- Two bins are less than one history, or one burst, apart where these keys differ by at most 1.
select
    bins.series, bins.rule, bins.code, grids.baseline, grids.candidate, grids.bin_second, grids.bin_seconds,
    grids.is_judged, grids.hour_bins, grids.past_bins, hypotheses.rate_ratio,
    case when own.series is not null then grids.bin_second end as error_second,
    coalesce(own.gain, 0) as gain, coalesce(own.usual_loss, 0) as usual_loss, pow(10, rules.threshold) as alarm_bins,
    rules.window_bins * grids.bin_seconds as history_seconds,
    grids.bin_second / nullif(rules.window_bins * grids.bin_seconds - 0.5, 0) as history_key,
    grids.bin_second / nullif((hypotheses.min_bins - 1) * grids.bin_seconds - 0.5, 0) as burst_key
from suspects
inner join bins on suspects.series = bins.series
inner join judged_bins as grids on bins.rule = grids.rule and bins.pair_id = grids.pair_id
inner join rules on bins.rule = rules.rule
inner join hypotheses on bins.rule = hypotheses.rule
left join own
    on bins.series = own.series and hypotheses.rate_ratio = own.rate_ratio and grids.bin_second = own.bin_second
where grids.is_judged or own.series is not null
