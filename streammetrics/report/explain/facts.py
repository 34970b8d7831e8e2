"""The facts about one code in one bin, by rule and comparison."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from streammetrics.config import AnyRule, Config, SequentialRule
from streammetrics.detect.intervals import ratio_intervals
from streammetrics.detect.passes import lead_seconds
from streammetrics.errors import UsageError
from streammetrics.runtime import utc
from streammetrics.runtime.utc import DAY_SECONDS
from streammetrics.sources import exposure
from streammetrics.store import builds, settings_tables
from streammetrics.store.connection import Store
from streammetrics.store.statements import run, statement
from streammetrics.store.views import FIRST_SECOND, LAST_SECOND, Slice, compose, lags

MOST_CODES = 20
"""How many of the existing codes an error message lists."""

_EXPLAINED = {
    "judged_bins": "select * replace (bin_second = {second:d} as is_judged) from explained_judged_bins",
    "suspects": "select series, {second:d} as first_second, {second:d} as last_second from explained_series",
}
"""Replacements of relations, so that the explained bin has evidence even if it is incomplete or does not fire."""

_ANY_EVIDENCE = "select * replace (0 as threshold) from explained_evidence"
"""Replaces `evidence` for `ends`, so that a bin that does not fire has figures too."""


_TIMES = ("onset", "rules_from", "rules_until", "judged_until", "gap_from", "gap_until")


@dataclass(frozen=True)
class Mean:
    """The mean of a window of a reference rule."""

    window_bins: int
    mean: float


@dataclass(frozen=True)
class Likelihood:
    """How much likelier the errors are with `rate_ratio` than with `min_ratio`, and the required evidence.

    Both are natural logarithms, from the best onset, whether or not the increase has ended since.
    """

    rate_ratio: float
    min_ratio: float
    log_likelihood: float
    log_threshold: float


@dataclass(frozen=True)
class Explanation:
    """A rule and a code in the bin from start_ts to end_ts, by the columns of reports/explain_answers; naive UTC.

    Also the bounds of its ratio, and the means of all `windows` of a reference rule, or `ratios`, the grid of
    `sequential`, the strongest first. An incident keeps the onset of its first alert.
    """

    rule: str
    detector: str
    code: str
    start_ts: datetime
    end_ts: datetime
    baseline: str | None
    candidate: str | None
    rules_from: datetime | None
    rules_until: datetime | None
    judged_until: datetime | None
    awaited_build: str | None
    gap_build: str | None
    gap_from: datetime | None
    gap_until: datetime | None
    bin_baseline_errors: int | None
    bin_candidate_errors: int | None
    value: float | None
    threshold: float | None
    short_by: float | None
    doubt: float | None
    is_doubted: bool
    has_ended: bool
    rate_ratio: float | None
    spread_bins: float | None
    min_bins: int | None
    missed_errors: float | None
    onset: datetime | None
    window_bins: int | None
    baseline_errors: int | None
    candidate_errors: int | None
    ratio: float | None
    exposure: str | None
    candidate_share: float | None
    mean_dispersion: float | None
    dispersion: float | None
    weight: float | None
    gate: str | None
    ratio_low: float | None
    ratio_high: float | None
    windows: tuple[Mean, ...]
    ratios: tuple[Likelihood, ...]


def explain(
    store: Store, config: Config, code: str, at: datetime | None = None, rule: str | None = None
) -> list[Explanation]:
    """Explain the bins that contain the time `at` (naive UTC), for each rule and comparison.

    None: the time of the code's latest alert.

    The rules are those of `config`, even if no pass has used them.

    Raises:
        UsageError: there is no such rule, or no build has sent the code, or (without `at`) it has no alert.
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    rules = [found for found in config.rule if rule in (None, found.name)]
    if not rules:
        names = ", ".join(found.name for found in config.rule)
        raise UsageError(f"--rule {rule}: there is no such rule; there are: {names}")
    with store.read() as connection:
        known = builds.ordered_codes(connection.exec_driver_sql("select distinct code from codes").scalars())
        if code not in known:
            shown = ", ".join(known[:MOST_CODES]) or "none, for it holds no records"
            more = f" and {len(known) - MOST_CODES:,} more" if len(known) > MOST_CODES else ""
            raise UsageError(f"--code {code}: no build in the store has sent it; its codes are: {shown}{more}")
        moment = at or run(connection, "reports/latest_alert_of_code", {"code": code, "rule": rule}).scalar_one()
        if moment is None:
            by = "" if rule is None else f" by rule {rule}"
            raise UsageError(f"--code {code}: it has no alert{by}; name the time to explain with --at")
        second = utc.second_of(moment)
        return [found for chosen in rules for found in _explain(connection, config, chosen, code, second)]


def _explain(connection: Connection, config: Config, rule: AnyRule, code: str, at: int) -> list[Explanation]:
    """One explanation for each comparison that judges the bin of `rule` that contains the epoch second `at`.

    Creates temporary tables; the connection may be read-only.
    """
    second = at // rule.bin_seconds * rule.bin_seconds
    ends = second, min(second + rule.bin_seconds, LAST_SECOND)
    start, end = (utc.at_second(end) for end in ends)
    _prepare(connection, config.model_copy(update={"rule": (rule,)}), rule, code, second)
    parameters = {"second": second, "width": rule.bin_seconds}
    head: dict[str, Any] = {
        "rule": rule.name,
        "detector": rule.detector,
        "code": code,
        "start_ts": start,
        "end_ts": end,
    }
    answers = run(connection, "reports/explain_answers", parameters).mappings().all()
    return [
        Explanation(**head, **_figures(row), **_strongest(connection, rule, row["series"], second)) for row in answers
    ]


def _figures(row: RowMapping) -> dict[str, Any]:
    low, high = _interval(row)
    times = {name: _time(row[name]) for name in _TIMES}
    figures = {name: value for name, value in row.items() if name not in ("series", "tested_share", "is_ruling")}
    return {**figures, **times, "ratio_low": low, "ratio_high": high}


def _strongest(connection: Connection, rule: AnyRule, series: int | None, second: int) -> dict[str, Any]:
    of_bin = {"series": series, "second": second}
    if isinstance(rule, SequentialRule):
        found = run(connection, "reports/explain_ratios", of_bin)
        return {"windows": (), "ratios": tuple(Likelihood(*row) for row in found)}
    return {"windows": tuple(Mean(*row) for row in run(connection, "reports/explain_means", of_bin)), "ratios": ()}


def _prepare(connection: Connection, config: Config, rule: AnyRule, code: str, second: int) -> None:
    """Create the temporary tables `explained_...` that the answers are computed from; later ones read earlier ones.

    The bins of all codes are computed once, because dispersion is estimated from all of them; later tables have the one
    code. All decisions are made in sql/, none in Python.
    """
    before = lags(connection)
    piece = Slice(second, second + rule.bin_seconds, lead_seconds(config), lags=before)
    explained = {name: text.format(second=second) for name, text in _EXPLAINED.items()}
    kept: dict[str, str] = {}

    def keep(name: str, select: str | None = None, within: Slice = piece, **instead: str) -> None:
        text = compose(select or f"select * from {name}", within, is_final=False, **(kept | instead))  # noqa: S608
        connection.exec_driver_sql(f"create or replace temp table explained_{name} as\n{text}")
        kept[name] = explained.get(name, f"select * from explained_{name}")  # noqa: S608 a name of sql/

    users = exposure.read(config)
    settings_tables.overlay(connection, config, users.rows, is_whole=users.is_whole)
    for name in ("judged_bins", "bins", "weights"):
        keep(name)
    keep("code_errors")
    connection.exec_driver_sql("delete from explained_bins where code <> ?", (code,))
    run(connection, "jobs/explain_series")
    kept["suspects"] = explained["suspects"]
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
    """The bounds of the ratio; None without errors, or if the rule has no interval."""
    if not row["mean_dispersion"]:
        return None, None
    names = ("baseline_errors", "candidate_errors", "candidate_share", "tested_share", "mean_dispersion")
    baseline, candidate, share, tested, dispersion = (row[name] for name in names)
    return ratio_intervals([(baseline, candidate, share, tested, dispersion)])[0]


def _time(second: int | None) -> datetime | None:
    """An epoch second as naive UTC; None for the values that mean no limit."""
    if second is None or not FIRST_SECOND < second < LAST_SECOND:
        return None
    return utc.at_second(second)
