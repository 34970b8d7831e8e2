"""The facts of verdicts: current comparisons, their open incidents, and the increases that would have been found."""

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
from streammetrics.store.builds import ESTABLISHED
from streammetrics.store.connection import Store
from streammetrics.store.statements import run, statement

_SHOWN_BUILDS = 5


def verdicts(
    store: Store,
    config: Config,
    now: datetime,
    baseline: str | None = None,
    candidate: str | None = None,
    code: str | None = None,
) -> list[Verdict]:
    """A verdict on each current comparison, or on those with this `baseline`, `candidate`, or on this `code` alone.

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
            rows = run(connection, "reports/builds_so_far")
            builds = [(row.build, row.records, row.is_established) for row in rows]
            return [none_compared(baseline, candidate, builds)]
        if code is not None and not run(connection, "reports/knows_code", {"code": code}).scalar_one():
            return [Verdict(baseline, candidate, "not enough data", f"no build has ever sent code {named(code)}")]
        return of_comparisons(connection, wanted, now, code)


def of_comparisons(
    connection: Connection, wanted: Sequence[Compared], now: datetime, code: str | None = None
) -> list[Verdict]:
    """The verdicts on these comparisons, in order; on this `code` alone if it is given."""
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


def none_compared(baseline: str | None, candidate: str | None, builds: Sequence[tuple[str, int, bool]]) -> Verdict:
    """The verdict without a current comparison that was requested; `builds`: records, and whether they count."""
    sent = {build for build, _, _ in builds}
    unknown = [build for build in (baseline, candidate) if build is not None and build not in sent]
    what = "nothing is compared now" if baseline is candidate is None else "these builds are not compared now"
    if unknown:
        what = f"build {named(unknown[-1])} has never sent a record"
    counts = f"a build counts once it has sent {ESTABLISHED}"
    so_far = [
        f"{named(build)} has sent {records:,}"
        for build, records, is_established in builds
        if not is_established and (unknown or build in (baseline, candidate) or baseline is candidate is None)
    ]
    so_far = so_far or [
        f"builds are {', '.join(named(build) for build, _, _ in builds[-_SHOWN_BUILDS:]) or 'none yet'}"
    ]
    return Verdict(
        baseline,
        candidate,
        "not enough data",
        f"{what}: {counts}; {', '.join(so_far[-_SHOWN_BUILDS:])}; `streammetrics status` lists comparisons",
    )
