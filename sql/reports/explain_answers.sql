-- The figures to explain, a row per comparison that judges the bin from second $second on, $width long; if none does,
-- all comparisons near it.
with asked as (
    select cast($second as bigint) as bin_second, cast($second as bigint) + cast($width as bigint) as end_second
),

silences as (
    select
        pairs.baseline, pairs.candidate, min(gaps.from_second) as gap_from,
        arg_min(gaps.until_second, gaps.from_second) as gap_until, arg_min(gaps.build, gaps.from_second) as gap_build
    from explained_pairs as pairs
    inner join explained_gaps as gaps on gaps.build in (pairs.baseline, pairs.candidate)
    inner join asked on gaps.from_second < asked.end_second and gaps.until_second > asked.bin_second
    where not gaps.is_rare or pairs.told_second is null or asked.bin_second < pairs.told_second
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
        case when asked.end_second > pairs.judged_until_second then pairs.awaited_build end as awaited_build,
        silences.gap_build, silences.gap_from, silences.gap_until, series.series,
        case when grids.bin_second is not null then coalesce(bins.baseline_errors, 0) end as bin_baseline_errors,
        case when grids.bin_second is not null then coalesce(bins.candidate_errors, 0) end as bin_candidate_errors,
        verdicts.* exclude (series, gate, exposure, candidate_share),
        coalesce(verdicts.exposure, latest.exposure) as exposure,
        coalesce(verdicts.candidate_share, latest.candidate_share) as candidate_share,
        1 / nullif(weights.weight, 0) as dispersion, weights.weight,
        asked.end_second > pairs.opened_second and asked.end_second <= pairs.until_second as is_ruling,
        case
            when asked.end_second <= pairs.opened_second or asked.end_second > pairs.until_second then 'pair'
            when asked.end_second > pairs.judged_until_second then 'incomplete'
            when silences.gap_from is not null then 'gap'
            when displaced.block_second is not null then 'place'
            when series.series is null then 'no record'
            when verdicts.series is not null then verdicts.gate
            when series.detector = 'sequential' then 'evidence'
            else 'threshold'
        end as gate
    from explained_pairs as pairs
    cross join asked
    left join silences using (baseline, candidate)
    left join explained_displaced as displaced
        on
            pairs.baseline = displaced.baseline and pairs.candidate = displaced.candidate
            and floor(asked.bin_second / 600) * 600 = displaced.block_second
    left join explained_series as series using (baseline, candidate)
    left join explained_judged_bins as grids
        on
            series.baseline = grids.baseline and series.candidate = grids.candidate
            and asked.bin_second = grids.bin_second
    left join explained_bins as bins on series.series = bins.series and asked.bin_second = bins.bin_second
    left join latest on series.series = latest.series
    left join explained_weights as weights
        on series.series = weights.series and floor(asked.bin_second / greatest($width, 120)) = weights.block
    left join explained_verdicts as verdicts on series.series = verdicts.series
)

select answers.* -- noqa: AM04
from answers
where answers.is_ruling or not exists (select 1 from answers as others where others.is_ruling)
order by answers.rules_from, answers.baseline, answers.candidate
