"""What there is to tell of one code in one bin, rule by rule and comparison by comparison."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from streammetrics.config import AnyRule, Config, SequentialRule
from streammetrics.detect.intervals import ratio_intervals
from streammetrics.detect.passes import DAY_SECONDS, lead_seconds
from streammetrics.runtime import utc
from streammetrics.sources import exposure
from streammetrics.store import settings_tables
from streammetrics.store.statements import run, statement
from streammetrics.store.views import FIRST_SECOND, LAST_SECOND, Slice, compose, lags

UNITS = {
    "sequential": {
        "value": "log10", "threshold": "log10", "doubt": "natural logarithm",
        "log_likelihood": "natural logarithm", "log_threshold": "natural logarithm",
        "rate_ratio": "candidate's rate over the baseline's", "onset": "as estimated in this bin",
        "spread_bins": "bins that equal errors above the usual would lie in",
        "dispersion": "of this bin's block of two minutes", "mean_dispersion": "since the onset, as in alerts",
    },
    "mean_ratio": {"value": "ratio", "threshold": "ratio", "mean": "ratio"},
    "mean_difference": {"value": "errors in a bin", "threshold": "errors in a bin", "mean": "errors in a bin"},
}  # fmt: skip
"""What the figures of a detector are, beside them in JSON."""

_ASKED = {
    "judged_bins": "select * replace (bin_second = {second:d} as is_judged) from explained_judged_bins",
    "suspects": "select series, {second:d} as first_second, {second:d} as last_second from explained_series",
}
"""In place of the relations: the evidence of the bin asked about is reported, complete or not, enough or not."""

_ANY_EVIDENCE = "select * replace (0 as threshold) from explained_evidence"
"""In place of `evidence` for `ends`: a bin that does not fire has its figures, too."""


@dataclass(frozen=True)
class Window:
    """Of a reference rule: the bins up to the one that was asked about, and their mean."""

    window_bins: int
    mean: float


@dataclass(frozen=True)
class Ratio:
    """How much likelier the errors are if the rate is higher by `rate_ratio` than by the rule's `min_ratio`.

    From the best onset within the history, whether or not the increase has ended since; and what it takes to fire.
    Both are natural logarithms.
    """

    rate_ratio: float
    min_ratio: float
    log_likelihood: float
    log_threshold: float


@dataclass(frozen=True)
class Explanation:
    """Why a rule fired for a comparison in a bin, or which `gate` said no. Times are naive UTC.

    `gate` is None where it fired, else: no comparison, pair, incomplete, gap, place, no record, evidence, recovery,
    brief, silence or, of a reference rule, threshold. `bin_` figures count in the bin, the others since the `onset`, of
    a reference rule the beginning of its highest window.

    Of `sequential`, `value` and `threshold` are log10, of the grid's ratio that is the likeliest, `rate_ratio`;
    `short_by` is how many times likelier the errors would have to be. `doubt`, a natural logarithm, is how much
    likelier it is that an increase ended at its peak than that it goes on: from ln 1000 on it `has_ended`, and only
    what came since counts; `is_doubted` where the doubt is worth reporting. The candidate's errors above the usual lie
    as closely as in `spread_bins`, None where they lie no closer than by chance; an alert takes more than `min_bins`.
    `missed_errors` were to be expected since the code's last, and did not come. An error counts in the evidence of the
    bin for `weight`, one over the `dispersion` there; `mean_dispersion` is that since the onset. `ratios` is the whole
    grid, the strongest first. An incident keeps the onset of its first alert.

    In a bin without errors of the code that of the last one with errors stands, for an hour at most.
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
    has_ended: bool = False
    rate_ratio: float | None = None
    spread_bins: float | None = None
    min_bins: int | None = None
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
    ratios: tuple[Ratio, ...] = ()


_TIMES = ("onset", "rules_from", "rules_until", "judged_until", "gap_from", "gap_until")
_FIELDS = frozenset(field.name for field in fields(Explanation))


def explain_rule(connection: Connection, config: Config, rule: AnyRule, code: str, at: int) -> list[Explanation]:
    """One explanation for each comparison that rules the bin of `rule` which holds the epoch second `at`.

    Makes temporary tables on the connection, which may be one that only reads.
    """
    second = at // rule.bin_seconds * rule.bin_seconds
    ends = second, min(second + rule.bin_seconds, LAST_SECOND)
    start, end = (utc.at_second(end) for end in ends)
    _prepare(connection, config.model_copy(update={"rule": (rule,)}), rule, code, second)
    parameters = {"second": second, "width": rule.bin_seconds}
    answers = run(connection, "reports/explain_answers", parameters).mappings().all()
    found = [
        Explanation(
            rule.name, rule.detector, code, start, end, **_figures(row), **_strongest(connection, rule, row, second)
        )
        for row in answers
    ]
    return found or [Explanation(rule.name, rule.detector, code, start, end, "no comparison")]


def _figures(row: RowMapping) -> dict[str, Any]:
    low, high = _interval(row)
    fields = {name: value for name, value in row.items() if name in _FIELDS}
    times = {name: _time(row[name]) for name in _TIMES}
    doubts = {name: bool(row.get(name)) for name in ("is_doubted", "has_ended")}
    return {**fields, **times, **doubts, "ratio_low": low, "ratio_high": high}


def _strongest(connection: Connection, rule: AnyRule, row: RowMapping, second: int) -> dict[str, Any]:
    asked = {"series": row["series"], "second": second}
    if isinstance(rule, SequentialRule):
        return {"ratios": tuple(Ratio(*found) for found in run(connection, "reports/explain_ratios", asked))}
    return {"windows": tuple(Window(*found) for found in run(connection, "reports/explain_means", asked))}


def _prepare(connection: Connection, config: Config, rule: AnyRule, code: str, second: int) -> None:
    """Answer all that the answers are made of, as temporary tables `explained_...`, each of which later ones read.

    The bins of all codes near are computed once, for dispersion is estimated from all of them; what follows reads the
    one code. Every verdict is a column of sql/, none a comparison in Python.
    """
    before = lags(connection)
    piece = Slice(second, second + rule.bin_seconds, lead_seconds(config), lags=before)
    asked = {name: text.format(second=second) for name, text in _ASKED.items()}
    kept: dict[str, str] = {}

    def keep(name: str, select: str | None = None, within: Slice = piece, **instead: str) -> None:
        text = compose(select or f"select * from {name}", within, is_final=False, **(kept | instead))  # noqa: S608
        connection.exec_driver_sql(f"create or replace temp table explained_{name} as\n{text}")
        kept[name] = asked.get(name, f"select * from explained_{name}")  # noqa: S608 a name of sql/

    users = exposure.read(config)
    settings_tables.overlay(connection, config, users.rows, is_whole=users.is_whole)
    for name in ("judged_bins", "bins", "weights"):
        keep(name)
    keep("code_errors")
    connection.exec_driver_sql("delete from explained_bins where code <> ?", (code,))
    run(connection, "jobs/explain_series")
    kept["suspects"] = asked["suspects"]
    if isinstance(rule, SequentialRule):
        keep("evidence")
        keep("ends", evidence=_ANY_EVIDENCE)
        keep("verdicts", statement("reports/explain_sequential"))
    else:
        keep("windows", statement("reports/explain_windows"))
        keep("verdicts", statement("reports/explain_reference"))
    keep("gaps")
    keep("displaced", statement("reports/displaced"))
    keep("pairs", statement("reports/explain_pairs"), Slice(second - DAY_SECONDS, second + DAY_SECONDS, 0, lags=before))


def _interval(row: RowMapping) -> tuple[float | None, float | None]:
    """The bounds of the ratio; None where there are no errors to tell from, or the rule does not say."""
    if not row.get("mean_dispersion"):
        return None, None
    names = ("baseline_errors", "candidate_errors", "candidate_share", "tested_share", "mean_dispersion")
    baseline, candidate, share, tested, dispersion = (row[name] for name in names)
    return ratio_intervals([(baseline, candidate, share, tested, dispersion)])[0]


def _time(second: int | None) -> datetime | None:
    """An epoch second as naive UTC; None where it stands for ever."""
    if second is None or not FIRST_SECOND < second < LAST_SECOND:
        return None
    return utc.at_second(second)
