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

ASKED = {
    "judged_bins": "select * replace (bin_second = {second:d} as is_judged) from explained_judged_bins",
    "suspects": "select series, {second:d} as first_second, {second:d} as last_second from explained_series",
}
"""In place of the relations: the evidence of the bin asked about is reported, complete or not, enough or not."""

ANY_EVIDENCE = "select * replace (0 as threshold) from explained_evidence"
"""In place of `evidence` for `ends`: a bin that does not fire has its figures, too."""

WINDOWS = """
select windows.*
from windows
inner join span on windows.start_second >= floor(span.first_second / windows.bin_seconds) * windows.bin_seconds
"""
"""Windows that begin before the data do not exist."""

PAIRS = """
select
    pairs.baseline, pairs.candidate, pairs.opened_second, pairs.until_second, pairs.judged_until_second,
    pairs.told_second,
    case
        when pairs.told_second is not null then null
        when pairs.baseline_last_second < pairs.candidate_last_second then pairs.baseline
        when pairs.baseline_last_second > pairs.candidate_last_second then pairs.candidate
    end as awaited_build
from pairs
"""


@dataclass(frozen=True)
class Detector:
    """`verdicts` has a row a series, its columns fields of the explanation; `strongest` lists what was compared."""

    verdicts: str
    strongest: str


# Evidence stands until the next bin with errors; as none is later than the bin asked about, one bin of a series stands.
SEQUENTIAL = Detector(
    verdicts="""
select
    found.series, found.value, found.threshold, found.doubt, found.rate_ratio, limits.min_bins, since.spread_bins,
    since.missed_errors, since.window_bins, since.start_second as onset, since.baseline_errors, since.candidate_errors,
    since.ratio, since.exposure, since.candidate_share, since.tested_share, since.dispersion as mean_dispersion,
    -- Ten times: what is less says nothing to who was called.
    found.doubt > 2.302585 as is_doubted, grid.has_ended,
    case when not found.is_enough then power(10, found.threshold - found.value) end as short_by,
    case
        when not found.is_enough then if(grid.is_enough and grid.has_ended, 'recovery', 'evidence')
        when found.is_brief then 'brief'
        when found.is_traffic then 'traffic'
        when found.is_silent then 'silence'
    end as gate
from regressions as found
left join regressions as since on found.series = since.series and since.value > 0
inner join (select distinct rule, min_bins from hypotheses) as limits on found.rule = limits.rule
inner join (
    select series, bool_or(nats >= threshold) as is_enough, any_value(ended_second) is not null as has_ended
    from evidence
    inner join ends using (series, bin_second)
    group by series
) as grid on found.series = grid.series
""",
    strongest="""
select rate_ratio, min_ratio, nats, threshold
from explained_evidence
inner join hypotheses using (rule, rate_ratio)
where series = $series and next_second > $second
order by nats - threshold desc, rate_ratio
""",
)

REFERENCE = Detector(
    verdicts="""
select
    explained_series.series, best.value, best.threshold, best.window_bins, best.start_second as onset,
    best.baseline_errors, best.candidate_errors, null::varchar as exposure, null::double as candidate_share,
    round(best.candidate_errors / nullif(best.baseline_errors, 0), 6) as ratio,
    case when judged.baseline is null then 'threshold' end as gate
from (
    select *, row_number() over (partition by baseline, candidate order by value desc, window_bins) as place
    from windows
) as best
inner join explained_series using (baseline, candidate)
left join (select distinct baseline, candidate from fired) as judged using (baseline, candidate)
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

select * from answers
where is_ruling or not exists (select * from answers where is_ruling)
order by rules_from, baseline, candidate
"""
