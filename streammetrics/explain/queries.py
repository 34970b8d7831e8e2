"""The questions that an explanation is made of, each over the relations of sql/ or over the answers to those before.

The bins of all codes near are computed once, for dispersion is told from all of them; what follows reads the one code.
Every verdict is a column of sql/ or of `ANSWERS`, none a comparison in Python.
"""

from dataclasses import dataclass

SERIES = """
create or replace temp table explained_series as
select distinct series, baseline, candidate from explained_bins
"""
"""What stands for rule, comparison and code in the relations that have no names."""

ASKED_BINS = "select * replace (bin_second = {second:d} as is_judged) from explained_bins"
"""In place of `bins`: complete or not, the evidence of the bin that was asked about can be told, and only that."""

ANY_VERDICTS = "select * replace (true as is_enough, false as is_over) from explained_verdicts"
"""In place of `verdicts`: how much, since when can be told of a bin that does not fire."""

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

FIRED = "select distinct baseline, candidate from fired where stop_second = {second:d}"


@dataclass(frozen=True)
class Detector:
    """How the windows of a detector are read, their verdict, and the figures since the beginning of the likeliest."""

    weights: str
    windows: str
    verdicts: str
    since: str


SEQUENTIAL = Detector(
    weights="select series, block_second, 1 / nullif(weight, 0) as dispersion, weight from weights",
    windows="""
select
    told.series, told.window_bins, hypotheses.rate_ratio, hypotheses.min_ratio,
    nats[hypotheses.place] as log_likelihood, nats[hypotheses.place] + told.log_share as term,
    cast(null as double) as mean
from (select *, [nats_1, nats_2, nats_3, nats_4, nats_5, nats_6, nats_7] as nats from evidence_windows) as told
inner join hypotheses using (rule)
where told.log_share is not null
""",
    verdicts="""
select series, bin_second, bin_seconds, window_bins, value, threshold, doubt, is_enough, is_over from verdicts
""",
    since="""
select
    explained_series.series, regressions.start_second, regressions.baseline_errors, regressions.candidate_errors,
    regressions.ratio, regressions.exposure, regressions.candidate_share, regressions.tested_share,
    regressions.dispersion, regressions.missed_errors, regressions.is_silent
from regressions
inner join explained_series using (baseline, candidate)
""",
)

# Windows that begin before the data do not exist.
REFERENCE = Detector(
    weights="""
select series, 0 as block_second, cast(null as double) as dispersion, cast(null as double) as weight
from explained_series
limit 0
""",
    windows="""
select
    explained_series.series, windows.window_bins, cast(null as double) as rate_ratio,
    cast(null as double) as min_ratio, cast(null as double) as log_likelihood, cast(null as double) as term,
    windows.value as mean, windows.threshold, windows.start_second, windows.baseline_errors, windows.candidate_errors
from windows
inner join explained_series using (baseline, candidate)
inner join span on windows.start_second >= floor(span.first_second / windows.bin_seconds) * windows.bin_seconds
""",
    verdicts="""
select
    series, arg_max(window_bins, (mean, -window_bins)) as window_bins, max(mean) as value, max(threshold) as threshold,
    cast(null as double) as doubt, cast(null as boolean) as is_enough, cast(null as boolean) as is_over
from explained_windows
group by series
""",
    since="""
select
    series, explained_windows.start_second, explained_windows.baseline_errors, explained_windows.candidate_errors,
    round(explained_windows.candidate_errors / nullif(explained_windows.baseline_errors, 0), 6) as ratio,
    cast(null as varchar) as exposure, cast(null as double) as candidate_share,
    cast(null as double) as tested_share, cast(null as double) as dispersion,
    cast(null as double) as missed_errors, false as is_silent
from explained_windows
inner join explained_verdicts using (series, window_bins)
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

answers as (
    select
        pairs.baseline, pairs.candidate, pairs.from_second as rules_from, pairs.until_second as rules_until,
        pairs.judged_until_second as judged_until,
        case when asked.end_second > pairs.judged_until_second then pairs.awaited_build end as awaited_build,
        silences.gap_build, silences.gap_from, silences.gap_until, bins.series,
        bins.baseline_errors as bin_baseline_errors, bins.candidate_errors as bin_candidate_errors,
        verdicts.value, verdicts.threshold, verdicts.doubt, since.missed_errors,
        -- Ten times: what is less says nothing to who was called.
        coalesce(verdicts.doubt > 2.302585, false) as is_doubted,
        case when not verdicts.is_enough then power(10, verdicts.threshold - verdicts.value) end as short_by,
        verdicts.window_bins, since.start_second as onset, since.baseline_errors, since.candidate_errors, since.ratio,
        coalesce(since.exposure, bins.exposure) as exposure,
        coalesce(since.candidate_share, bins.candidate_share) as candidate_share,
        coalesce(since.tested_share, bins.tested_share) as tested_share, weights.dispersion, weights.weight,
        since.dispersion as mean_dispersion,
        asked.end_second > pairs.from_second and asked.end_second <= pairs.until_second as is_ruling,
        case
            when asked.end_second <= pairs.from_second or asked.end_second > pairs.until_second then 'pair'
            when asked.end_second > pairs.judged_until_second then 'incomplete'
            when silences.gap_from is not null then 'gap'
            when bins.series is null then 'no record'
            when fired.baseline is not null then null
            when bins.detector <> 'sequential' then 'threshold'
            when verdicts.is_enough and verdicts.is_over then 'recovery'
            when verdicts.is_enough and since.is_silent then 'silence'
            when weights.weight = 0 then 'dispersion'
            else 'evidence'
        end as gate
    from explained_pairs as pairs
    cross join asked
    left join silences using (baseline, candidate)
    left join explained_bins as bins
        on
            pairs.baseline = bins.baseline and pairs.candidate = bins.candidate
            and asked.bin_second = bins.bin_second
    left join explained_weights as weights
        on bins.series = weights.series and floor(asked.bin_second / 120) * 120 = weights.block_second
    left join explained_verdicts as verdicts on bins.series = verdicts.series
    left join explained_since as since on bins.series = since.series
    left join explained_fired as fired on pairs.baseline = fired.baseline and pairs.candidate = fired.candidate
)

select * from answers
where is_ruling or not exists (select * from answers where is_ruling)
order by rules_from, baseline, candidate
"""

STRONGEST = """
select window_bins, rate_ratio, min_ratio, log_likelihood, term, mean
from explained_windows
where series = $series
order by coalesce(log_likelihood, mean) desc, window_bins, rate_ratio
limit $most
"""
