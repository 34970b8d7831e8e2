"""What a young comparison can find by now: the least increase of a typical code that would have raised an alert.

Computed from the errors so far. A code is taken to have the errors that it would have at equal rates, times a ratio of
the grid from the first record on: the evidence of `sequential` that this gives on average, against the threshold that
the same errors give. Of the codes with errors half must reach it.
"""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from streammetrics import utc
from streammetrics.config.rules import BLOCK_SECONDS, ESTIMATE_SECONDS, LOOK_BACK_BLOCKS
from streammetrics.detect import DAY_SECONDS
from streammetrics.status import questions
from streammetrics.views import Slice, compose

_WIDTHS = """
select max(bin_seconds) as widest, max(bin_seconds * window_bins) as history_seconds
from rules
where detector = 'sequential'
"""

# Errors at equal rates: of the candidate its share, of the baseline the rest. Threshold and burst: as in sql/58 and 62.
_REACHES = """
select baseline, candidate, min(rate_ratio) as rate_ratio
from (
    select
        baseline, candidate, rule, rate_ratio,
        avg(
            case
                when nats * (1 - (min_bins - 1) / judged_bins) < 2.995732 then 0
                when nats < ln(86400 / bin_seconds) then 0
                when nats < ln(pow(10, threshold) * least(1, 3 * usual_loss / hour_bins)) then 0
                else 1
            end
        ) as found
    from (
        select
            series, baseline, candidate, rule, rate_ratio, min_bins, bin_seconds, threshold, judged_bins, hour_bins,
            sum(k * candidate_worth - n * worth) as nats,
            sum(
                case when bin_second > last_second - 3600 then n * (worth - candidate_worth * min_ratio * tested_share
                / (1 + (min_ratio - 1) * tested_share)) else 0 end
            ) as usual_loss
        from (
            select
                bins.series, bins.baseline, bins.candidate, bins.rule, bins.bin_second, bins.bin_seconds,
                bins.tested_share, hypotheses.rate_ratio, hypotheses.min_ratio, hypotheses.min_bins, rules.threshold,
                scopes_judged.judged_bins, scopes_judged.hour_bins, scopes_judged.last_second,
                weights.weight * (bins.baseline_errors + bins.candidate_errors) * bins.candidate_share
                * hypotheses.rate_ratio as k,
                weights.weight * (bins.baseline_errors + bins.candidate_errors)
                * (1 + (hypotheses.rate_ratio - 1) * bins.candidate_share) as n,
                ln(hypotheses.rate_ratio) - ln(hypotheses.min_ratio) as candidate_worth,
                ln(1 + (hypotheses.rate_ratio - 1) * bins.tested_share)
                - ln(1 + (hypotheses.min_ratio - 1) * bins.tested_share) as worth
            from bins
            inner join weights
                on bins.series = weights.series
                and floor(bins.bin_second / greatest(bins.bin_seconds, 120)) = weights.block
            inner join hypotheses on bins.rule = hypotheses.rule
            inner join rules on bins.rule = rules.rule
            inner join (
                select
                    rule, pair_id, count(*) as judged_bins, arg_max(hour_bins, bin_second) as hour_bins,
                    max(bin_second) as last_second
                from judged_bins
                where is_judged
                group by rule, pair_id
            ) as scopes_judged on bins.rule = scopes_judged.rule and bins.pair_id = scopes_judged.pair_id
            where bins.detector = 'sequential' and bins.is_judged
        )
        group by all
    )
    group by baseline, candidate, rule, rate_ratio
)
where found >= 0.5
group by baseline, candidate
"""


class Comparison(BaseModel):
    """How far two builds are judged, None where never; `awaited` is the build that is `behind_seconds` behind.

    `judged_seconds`: for how long both of them have been there by then.
    """

    model_config = ConfigDict(frozen=True)

    baseline: str
    candidate: str
    judged_until: datetime | None
    awaited: str | None
    behind_seconds: int
    judged_seconds: int | None


class Reach(BaseModel):
    """The least ratio of the grid that a young comparison, judged for so long, would have found; None where none."""

    model_config = ConfigDict(frozen=True)

    baseline: str
    candidate: str
    judged_seconds: int
    rate_ratio: float | None


def comparisons(connection: Connection) -> tuple[Comparison, ...]:
    """The pairs that are compared now, the latest candidate first."""
    return tuple(Comparison(**found) for found in connection.exec_driver_sql(compose(questions.JUDGED)).mappings())


def reaches(connection: Connection, compared: Iterable[Comparison]) -> tuple[Reach, ...]:
    """Of the comparisons that are judged for less than a day; none without a rule `sequential`.

    Reads as much as a pass that judges the same time.
    """
    widest, history_seconds = connection.exec_driver_sql(_WIDTHS).one()
    young = [
        (found, utc.second_of(found.judged_until), found.judged_seconds)
        for found in compared
        if found.judged_until is not None and found.judged_seconds and 0 < found.judged_seconds < DAY_SECONDS
    ]
    if widest is None or not young:
        return ()
    until = max(judged_until for _, judged_until, _ in young)
    begin = min(judged_until - seconds for _, judged_until, seconds in young)
    lead = LOOK_BACK_BLOCKS * max(BLOCK_SECONDS, widest) + ESTIMATE_SECONDS + BLOCK_SECONDS + 2 * widest
    piece = Slice(max(begin - widest, until - history_seconds), until, lead)
    ratios = {
        (row.baseline, row.candidate): row.rate_ratio for row in connection.exec_driver_sql(compose(_REACHES, piece))
    }
    return tuple(
        Reach(
            baseline=found.baseline,
            candidate=found.candidate,
            judged_seconds=seconds,
            rate_ratio=ratios.get((found.baseline, found.candidate)),
        )
        for found, _, seconds in young
    )
