"""What there is to tell of one code in one bin, rule by rule and comparison by comparison."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from streammetrics import relations, utc
from streammetrics.config import AnyRule, Config, SequentialRule
from streammetrics.detect import DAY_SECONDS, lead_seconds
from streammetrics.explain import queries
from streammetrics.intervals import ratio_intervals
from streammetrics.views import FIRST_SECOND, LAST_SECOND, Slice, compose, every_minute

UNITS = {
    "sequential": {
        "value": "log10", "threshold": "log10", "doubt": "natural logarithm", "log_likelihood": "natural logarithm",
        "term": "natural logarithm", "onset": "beginning of this bin's likeliest window",
        "dispersion": "of this bin's block of two minutes", "mean_dispersion": "since the onset, as alerts tell it",
    },
    "mean_ratio": {"value": "ratio", "threshold": "ratio", "mean": "ratio"},
    "mean_difference": {"value": "errors in a bin", "threshold": "errors in a bin", "mean": "errors in a bin"},
}  # fmt: skip
"""What the figures of a detector are, beside them in JSON."""

STRONGEST = 5
"""So many windows are told."""


@dataclass(frozen=True)
class Window:
    """The bins up to the one that was asked about, and what they say: evidence (natural logarithms) or a mean.

    Evidence is that of a `rate_ratio` against the rule's `min_ratio`.
    """

    window_bins: int
    rate_ratio: float | None
    min_ratio: float | None
    log_likelihood: float | None
    term: float | None
    mean: float | None


@dataclass(frozen=True)
class Explanation:
    """Why a rule fired for a comparison in a bin, or which `gate` said no. Times are naive UTC.

    `gate` is None where it fired, else: no comparison, pair, incomplete, gap, no record, dispersion, evidence,
    recovery, silence or, of a reference rule, threshold. `bin_` figures count in the bin, the others since the `onset`,
    the beginning of the likeliest window. `value` and `threshold` of `sequential` are log10; `short_by` is how many
    times likelier the errors would have to be; `doubt`, a natural logarithm, is how much likelier it is that an
    increase has ended before than that it goes on: from ln 1000 on it is over, unless what came since then is enough by
    itself; `is_doubted` where that is worth telling. `missed_errors` were to be expected since the code's last, and did
    not come; an error counts in the evidence of the bin for `weight`, one over the `dispersion` there.
    `mean_dispersion` is that since the onset, which an alert calls its dispersion. An incident keeps the onset of its
    first alert: the likeliest window of a later bin may begin elsewhere.
    """

    rule: str
    detector: str
    code: str
    start_ts: datetime
    end_ts: datetime
    gate: str | None
    baseline: str | None = None
    candidate: str | None = None
    value: float | None = None
    threshold: float | None = None
    short_by: float | None = None
    doubt: float | None = None
    is_doubted: bool = False
    missed_errors: float | None = None
    bin_baseline_errors: int | None = None
    bin_candidate_errors: int | None = None
    onset: datetime | None = None
    window_bins: int | None = None
    baseline_errors: int | None = None
    candidate_errors: int | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    exposure: str | None = None
    candidate_share: float | None = None
    dispersion: float | None = None
    weight: float | None = None
    mean_dispersion: float | None = None
    rules_from: datetime | None = None
    rules_until: datetime | None = None
    judged_until: datetime | None = None
    awaited_build: str | None = None
    gap_build: str | None = None
    gap_from: datetime | None = None
    gap_until: datetime | None = None
    windows: tuple[Window, ...] = ()


_TIMES = ("onset", "rules_from", "rules_until", "judged_until", "gap_from", "gap_until")
_KEPT = (
    "gate", "baseline", "candidate", "value", "threshold", "short_by", "doubt", "is_doubted", "missed_errors",
    "bin_baseline_errors", "bin_candidate_errors", "window_bins", "baseline_errors", "candidate_errors", "ratio",
    "exposure", "candidate_share", "dispersion", "weight", "mean_dispersion", "awaited_build", "gap_build",
)  # fmt: skip


def explain_rule(connection: Connection, config: Config, rule: AnyRule, code: str, at: int) -> list[Explanation]:
    """One explanation for each comparison that rules the bin of `rule` which holds the epoch second `at`.

    Makes temporary tables on the connection, which may be one that only reads.
    """
    second = at // rule.bin_seconds * rule.bin_seconds
    ends = second, min(second + rule.bin_seconds, LAST_SECOND)
    start, end = (utc.at_second(end) for end in ends)
    _prepare(connection, config.model_copy(update={"rule": (rule,)}), rule, code, second)
    parameters = {"second": second, "width": rule.bin_seconds}
    answers = connection.exec_driver_sql(queries.ANSWERS, parameters).mappings().all()
    found = [Explanation(rule.name, rule.detector, code, start, end, **_figures(connection, row)) for row in answers]
    return found or [Explanation(rule.name, rule.detector, code, start, end, "no comparison")]


def _figures(connection: Connection, row: RowMapping) -> dict[str, Any]:
    asked = {"series": row["series"], "most": STRONGEST}
    low, high = _interval(row)
    return {
        **{name: row[name] for name in _KEPT},
        **{name: _time(row[name]) for name in _TIMES},
        "ratio_low": low,
        "ratio_high": high,
        "windows": tuple(Window(*window) for window in connection.exec_driver_sql(queries.STRONGEST, asked)),
    }


def _prepare(connection: Connection, config: Config, rule: AnyRule, code: str, second: int) -> None:
    """Answer all that `ANSWERS` reads, as temporary tables `explained_...`."""
    detector = queries.SEQUENTIAL if isinstance(rule, SequentialRule) else queries.REFERENCE
    piece = Slice(second, second + rule.bin_seconds, lead_seconds(config))
    kept = {"bins": "select * from explained_bins"}

    def keep(name: str, select: str, bases: dict[str, str] | None = None, within: Slice = piece) -> None:
        into = f"create or replace temp table explained_{name} as\n"
        connection.exec_driver_sql(into + compose(select, within, is_final=False, **(bases or {})))

    relations.overlay(connection, config)
    keep("bins", "select * from bins")
    connection.exec_driver_sql(queries.SERIES)
    keep("weights", detector.weights, kept)
    connection.exec_driver_sql("delete from explained_bins where code <> ?", (code,))
    connection.exec_driver_sql(queries.SERIES)
    kept["weights"] = "select * from explained_weights"
    asked = {**kept, "bins": queries.ASKED_BINS.format(second=second), "evidence_minutes": every_minute()}
    keep("windows", detector.windows, asked)
    keep("verdicts", detector.verdicts, asked)
    keep("since", detector.since, {**asked, "verdicts": queries.ANY_VERDICTS})
    keep("fired", queries.FIRED.format(second=second), kept)
    keep("pairs", queries.PAIRS, within=Slice(second - DAY_SECONDS, second + DAY_SECONDS, 0))
    keep("gaps", "select build, from_second, until_second from gaps")


def _interval(row: RowMapping) -> tuple[float | None, float | None]:
    """The bounds of the ratio; None where there are no errors to tell from, or the rule does not say."""
    if not row["mean_dispersion"]:
        return None, None
    names = ("baseline_errors", "candidate_errors", "candidate_share", "tested_share", "mean_dispersion")
    baseline, candidate, share, tested, dispersion = (row[name] for name in names)
    return ratio_intervals([(baseline, candidate, share, tested, dispersion)])[0]


def _time(second: int | None) -> datetime | None:
    """An epoch second as naive UTC; None where it stands for ever."""
    if second is None or not FIRST_SECOND < second < LAST_SECOND:
        return None
    return utc.at_second(second)
