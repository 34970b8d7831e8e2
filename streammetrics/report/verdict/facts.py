"""What verdicts rest on: the comparisons of now, their open incidents, and what would have been found of each code."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.detect import incidents
from streammetrics.report.status import facts
from streammetrics.report.status.models import Compared
from streammetrics.report.verdict.decide import CodeReach, Verdict, decide
from streammetrics.runtime.terminal import named
from streammetrics.sources import exposure
from streammetrics.store.builds import ESTABLISHED_RECORDS, ESTABLISHED_SECONDS
from streammetrics.store.connection import Store
from streammetrics.store.statements import run, statement


def verdicts(
    store: Store,
    config: Config,
    now: datetime,
    baseline: str | None = None,
    candidate: str | None = None,
    code: str | None = None,
) -> list[Verdict]:
    """A verdict on each comparison of now, or of those with this `baseline`, `candidate`, or on this `code` alone.

    Args:
        now: naive UTC.

    Raises:
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    store.require()
    with store.read() as connection:
        compared = facts.comparisons(connection, is_unread=not exposure.read(config).is_whole)
        wanted = [
            pair for pair in compared if baseline in (None, pair.baseline) and candidate in (None, pair.candidate)
        ]
        if not wanted:
            return [_none(baseline, candidate)]
        if code is not None and not run(connection, "reports/knows_code", {"code": code}).scalar_one():
            return [Verdict(baseline, candidate, "not enough data", f"no build has ever sent code {named(code)}")]
        return of_comparisons(connection, wanted, now, code)


def of_comparisons(
    connection: Connection, wanted: Sequence[Compared], now: datetime, code: str | None = None
) -> list[Verdict]:
    """The verdicts on these comparisons, in their order; on this `code` alone where one is given."""
    piece = facts.reach_slice(connection, wanted)
    codes = defaultdict[tuple[str, str], list[CodeReach]](list)
    if piece is not None:
        for first, second, *reach in connection.exec_driver_sql(
            facts.of_reaches(statement("reports/code_verdicts"), piece)
        ):
            codes[first, second].append(CodeReach(*reach))
    history_seconds = run(connection, "reports/reach_widths").one().history_seconds or 0
    recent = incidents.recent(connection)
    return [
        decide(
            pair,
            [one for one in recent if (one.baseline, one.candidate) == _pair(pair) and code in (None, one.code)],
            [one for one in codes[_pair(pair)] if code in (None, one.code)],
            history_seconds,
            now,
        )
        for pair in wanted
    ]


def _pair(compared: Compared) -> tuple[str, str]:
    return compared.baseline, compared.candidate


def _none(baseline: str | None, candidate: str | None) -> Verdict:
    """Nothing is compared, or nothing that was meant."""
    is_any = baseline is None and candidate is None
    what = "nothing is compared now" if is_any else "these builds are not compared now"
    counts = f"a build counts once it has sent {ESTABLISHED_RECORDS} records that span {ESTABLISHED_SECONDS} s"
    return Verdict(
        baseline, candidate, "not enough data", f"{what}: {counts}; `streammetrics status` lists comparisons"
    )
