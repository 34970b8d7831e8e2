-- Why a rule fired in the bin from second $second on, $width long, or which gate prevented it: a row per comparison
-- that is judged in the bin; if there is none, a row for each comparison near it, else a row without builds. gate is
-- null if the rule fired. bin_ figures count in the bin, the others since the onset (reference rules: the beginning of
-- the highest window). For sequential, value and threshold are log10, of the likeliest ratio of the grid, rate_ratio;
-- short_by is how many times likelier the errors would have to be. doubt, a natural logarithm, is how much likelier it
-- is that an increase ended at its peak than that it goes on: from ln 1000 on it has_ended, and only later errors
-- count; is_doubted if the doubt is worth reporting. spread_bins is the number of bins with equal excess that would be
-- as concentrated, null if the excess is not more concentrated than by chance; an alert requires more than min_bins.
-- missed_errors were expected since the code's last error. weight is what an error of the bin counts in the evidence,
-- one over the dispersion there; mean_dispersion is the mean since the onset. In a bin without errors of the code, the
-- evidence of the last bin with errors is used, for an hour at most.
with this_bin as (
    select cast($second as bigint) as bin_second, cast($second as bigint) + cast($width as bigint) as end_second
),

silences as (
    select
        pairs.baseline, pairs.candidate, min(gaps.from_second) as gap_from,
        arg_min(gaps.until_second, gaps.from_second) as gap_until, arg_min(gaps.build, gaps.from_second) as gap_build
    from explained_pairs as pairs
    inner join explained_gaps as gaps on gaps.build in (pairs.baseline, pairs.candidate)
    inner join this_bin on gaps.from_second < this_bin.end_second and gaps.until_second > this_bin.bin_second
    where not gaps.is_rare or pairs.users_known_second is null or this_bin.bin_second < pairs.users_known_second
    group by pairs.baseline, pairs.candidate
),

latest as (
    select
        series, arg_max(exposure, bin_second) as exposure, arg_max(candidate_share, bin_second) as candidate_share
    from explained_bins
    where bin_second <= $second
    group by series
),

answers as (
    select
        pairs.baseline, pairs.candidate, pairs.opened_second as rules_from, pairs.until_second as rules_until,
        pairs.judged_until_second as judged_until,
        case when this_bin.end_second > pairs.judged_until_second then pairs.awaited_build end as awaited_build,
        silences.gap_build, silences.gap_from, silences.gap_until, series.series,
        case when grids.bin_second is not null then coalesce(bins.baseline_errors, 0) end as bin_baseline_errors,
        case when grids.bin_second is not null then coalesce(bins.candidate_errors, 0) end as bin_candidate_errors,
        verdicts.value, verdicts.threshold, verdicts.short_by, verdicts.doubt,
        coalesce(verdicts.is_doubted, false) as is_doubted, coalesce(verdicts.has_ended, false) as has_ended,
        verdicts.rate_ratio, verdicts.spread_bins, verdicts.min_bins, verdicts.missed_errors, verdicts.onset,
        verdicts.window_bins, verdicts.baseline_errors, verdicts.candidate_errors, verdicts.ratio,
        coalesce(verdicts.exposure, latest.exposure) as exposure,
        coalesce(verdicts.candidate_share, latest.candidate_share) as candidate_share, verdicts.tested_share,
        verdicts.mean_dispersion,
        1 / nullif(weights.weight, 0) as dispersion, weights.weight,
        this_bin.end_second > pairs.opened_second and this_bin.end_second <= pairs.until_second as is_ruling,
        case
            when pairs.baseline is null then 'no comparison'
            when this_bin.end_second <= pairs.opened_second or this_bin.end_second > pairs.until_second then 'pair'
            when this_bin.end_second > pairs.judged_until_second then 'incomplete'
            when silences.gap_from is not null then 'gap'
            when displaced.block_second is not null then 'place'
            when series.series is null then 'no record'
            when verdicts.series is not null then verdicts.gate
            when series.detector = 'sequential' then 'evidence'
            else 'threshold'
        end as gate
    from this_bin
    left join explained_pairs as pairs on true
    left join silences using (baseline, candidate)
    left join explained_displaced as displaced
        on
            pairs.baseline = displaced.baseline and pairs.candidate = displaced.candidate
            and floor(this_bin.bin_second / 600) * 600 = displaced.block_second
    left join explained_series as series using (baseline, candidate)
    left join explained_judged_bins as grids
        on
            series.baseline = grids.baseline and series.candidate = grids.candidate
            and this_bin.bin_second = grids.bin_second
    left join explained_bins as bins on series.series = bins.series and this_bin.bin_second = bins.bin_second
    left join latest on series.series = latest.series
    left join explained_weights as weights
        on series.series = weights.series and floor(this_bin.bin_second / greatest($width, 120)) = weights.block
    left join explained_verdicts as verdicts on series.series = verdicts.series
)

select answers.* -- noqa: AM04
from answers
where answers.is_ruling or not exists (select 1 from answers as others where others.is_ruling)
order by answers.rules_from, answers.baseline, answers.candidate
