"""The questions that an explanation is made of, each over the relations of sql/ or over the answers to those before.

The bins of all codes near are computed once, for dispersion is estimated from all of them; what follows reads the one
code. Every verdict is a column of sql/ or of a query here, none a comparison in Python.
"""

from dataclasses import dataclass

SERIES = """
create or replace temp table explained_series as
select distinct series, detector, baseline, candidate from explained_bins
"""
"""What stands for rule, comparison and code in the relations that have no names."""

ASKED = "select * replace (bin_second = {second:d} as is_judged) from explained_{name}"
"""In place of `bins` and `judged_bins`: complete or not, the evidence of the bin asked about is told, and only that."""

PAIRS = """
select
    pairs.baseline, pairs.candidate, pairs.from_second, pairs.until_second, pairs.judged_until_second,
    case
        when olds.last_second < news.last_second then pairs.baseline
        when olds.last_second > news.last_second then pairs.candidate
    end as awaited_build
from pairs
inner join builds as olds on pairs.baseline = olds.build
inner join builds as news on pairs.candidate = news.build
"""


@dataclass(frozen=True)
class Detector:
    """What a detector judges by: `basis` selects it and becomes `explained_<name>`; `strongest` lists that of a series.

    `verdicts` has a row a series; it is composed with `kept` in place of the relation `name`.
    """

    name: str
    basis: str
    kept: str
    verdicts: str
    strongest: str


# Any evidence is enough for `increases` with a threshold so much lower: a bin that does not fire has its figures, too.
SEQUENTIAL = Detector(
    name="evidence",
    basis="select * from evidence",
    kept="select * replace (threshold - 1024 as threshold) from explained_evidence",
    verdicts="""
select
    found.series, found.value, found.threshold, found.doubt, found.rest_value, found.burst_bins, found.rate_ratio,
    since.window_bins, since.start_second, since.baseline_errors, since.candidate_errors, since.ratio, since.exposure,
    since.candidate_share, since.tested_share, since.dispersion, since.missed_errors,
    case when not found.is_enough then power(10, found.threshold - found.value) end as short_by,
    case
        when found.is_enough and not found.is_brief and not since.is_silent then null
        when found.is_enough and found.is_brief then 'brief'
        when found.is_enough then 'silence'
        when found.doubt > 6.907755 and found.was_enough then 'recovery'
        else 'evidence'
    end as gate
from (
    select
        increases.series, increases.bin_second, increases.doubt, increases.rate_ratio, increases.is_brief,
        increases.nats > 0 as is_any, round(increases.nats / ln(10), 9) as value,
        round((increases.threshold + 1024) / ln(10), 9) as threshold,
        round(increases.other_nats / ln(10), 9) as rest_value, grid.burst_bins, grid.was_enough,
        increases.nats >= increases.threshold + 1024 as is_enough
    from increases
    inner join (
        select
            explained_evidence.series, explained_evidence.bin_second, any_value(hypotheses.min_bins) - 1 as burst_bins,
            bool_or(explained_evidence.nats >= explained_evidence.threshold) as was_enough
        from explained_evidence
        inner join hypotheses using (rule, rate_ratio)
        group by explained_evidence.series, explained_evidence.bin_second
    ) as grid using (series, bin_second)
) as found
left join regressions as since on found.series = since.series and found.bin_second = since.stop_second and found.is_any
""",
    strongest="""
select rate_ratio, min_ratio, nats, threshold
from explained_evidence
inner join hypotheses using (rule, rate_ratio)
where series = $series and bin_second = $second
order by nats - threshold desc, rate_ratio
""",
)

# Windows that begin before the data do not exist.
REFERENCE = Detector(
    name="windows",
    basis="""
select windows.*
from windows
inner join span on windows.start_second >= floor(span.first_second / windows.bin_seconds) * windows.bin_seconds
""",
    kept="select * from explained_windows",
    verdicts="""
select
    explained_series.series, best.value, best.threshold, cast(null as double) as doubt,
    cast(null as double) as rest_value, cast(null as bigint) as burst_bins, cast(null as double) as rate_ratio,
    best.window_bins, best.start_second, best.baseline_errors, best.candidate_errors,
    round(best.candidate_errors / nullif(best.baseline_errors, 0), 6) as ratio, cast(null as varchar) as exposure,
    cast(null as double) as candidate_share, cast(null as double) as tested_share, cast(null as double) as dispersion,
    cast(null as double) as missed_errors, cast(null as double) as short_by,
    case when judged.baseline is null then 'threshold' end as gate
from (
    select *, row_number() over (partition by baseline, candidate order by value desc, window_bins) as place
    from explained_windows
) as best
inner join explained_series on best.baseline = explained_series.baseline and best.candidate = explained_series.candidate
left join (select distinct baseline, candidate from fired) as judged
    on best.baseline = judged.baseline and best.candidate = judged.candidate
where best.place = 1
""",
    strongest="""
select window_bins, value
from explained_windows
inner join explained_series using (baseline, candidate)
where series = $series and stop_second = $second
order by value desc, window_bins
""",
)

# Of the comparisons, those that rule the bin; where none does, all that were near.
ANSWERS = """
with asked as (
    select cast($second as bigint) as bin_second, cast($second as bigint) + cast($width as bigint) as end_second
),

silences as (
    select
        pairs.baseline, pairs.candidate, min(gaps.from_second) as gap_from,
        arg_min(gaps.until_second, gaps.from_second) as gap_until, arg_min(gaps.build, gaps.from_second) as gap_build
    from explained_pairs as pairs
    inner join explained_gaps as gaps on gaps.build in (pairs.baseline, pairs.candidate)
    inner join asked on asked.end_second > gaps.from_second and asked.bin_second < gaps.until_second
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
        pairs.baseline, pairs.candidate, pairs.from_second as rules_from, pairs.until_second as rules_until,
        pairs.judged_until_second as judged_until,
        case when asked.end_second > pairs.judged_until_second then pairs.awaited_build end as awaited_build,
        silences.gap_build, silences.gap_from, silences.gap_until, series.series,
        case when grids.bin_second is not null then coalesce(bins.baseline_errors, 0) end as bin_baseline_errors,
        case when grids.bin_second is not null then coalesce(bins.candidate_errors, 0) end as bin_candidate_errors,
        verdicts.value, verdicts.threshold, verdicts.short_by, verdicts.doubt, verdicts.rest_value,
        verdicts.burst_bins, verdicts.rate_ratio, verdicts.missed_errors,
        -- Ten times: what is less says nothing to who was called.
        coalesce(verdicts.doubt > 2.302585, false) as is_doubted,
        verdicts.window_bins, verdicts.start_second as onset, verdicts.baseline_errors, verdicts.candidate_errors,
        verdicts.ratio, verdicts.tested_share, coalesce(verdicts.exposure, latest.exposure) as exposure,
        coalesce(verdicts.candidate_share, latest.candidate_share) as candidate_share,
        1 / nullif(weights.weight, 0) as dispersion, weights.weight, verdicts.dispersion as mean_dispersion,
        asked.end_second > pairs.from_second and asked.end_second <= pairs.until_second as is_ruling,
        case
            when asked.end_second <= pairs.from_second or asked.end_second > pairs.until_second then 'pair'
            when asked.end_second > pairs.judged_until_second then 'incomplete'
            when silences.gap_from is not null then 'gap'
            when series.series is null then 'no record'
            when verdicts.series is not null then verdicts.gate
            when series.detector = 'sequential' then 'evidence'
            else 'threshold'
        end as gate
    from explained_pairs as pairs
    cross join asked
    left join silences using (baseline, candidate)
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

select * from answers
where is_ruling or not exists (select * from answers where is_ruling)
order by rules_from, baseline, candidate
"""
