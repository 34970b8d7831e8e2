"""Warnings that need action: settings that name unknown builds, replaced builds, doubtful exposure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from streammetrics.ingest.base_tables import AHEAD_SECONDS
from streammetrics.store.settings_tables import as_written
from streammetrics.store.statements import run, statement
from streammetrics.store.views import EXPOSURE_LEAD_SECONDS, Slice, compose, lags

REMEMBERED = timedelta(days=1)
"""A warning is not repeated within this time, so a share that goes up and down around a limit is reported once."""

DUE_SECONDS = 600

MANY_CODES = 100
"""Above this number, codes seen only once are no accident."""

_SENTENCES = {
    "reports/unsent_builds": "[[{section}]] names build {build!r}, of which no record has come yet{hint}",
    "reports/reversed_comparisons": (
        "[[comparison]] has baseline {baseline!r} and candidate {candidate!r}, which is the older one: exchange them "
        "unless that is meant"
    ),
    "reports/baselines_without_newer": (
        "[[comparison]] has baseline {build!r} and candidate 'latest', and all other builds of its family are older: "
        "nothing is compared with {build!r} until a newer one sends records"
    ),
    "reports/spaced_builds": (
        "build {build!r}{more} has blanks at an end, and is another build than {trimmed!r}: write it without them, or "
        "in a CSV write the same blanks in the header (`ts, build, code`); then unload the batches that have it"
    ),
    "reports/cut_overs": (
        "{candidate} can no longer be judged: its baseline {baseline} stopped within an hour of the first record of "
        "{candidate}, and the store has no day of {baseline} before that, or lag_days is 0; release in "
        "steps, or correct the feed of {baseline}{hint}"
    ),
}
"""Reports whose rows need action, with the sentence for a row."""

_IDS = (
    "nine of ten codes of the newest six hours were seen once: where they hold ids, set code_pattern in [[source]] to "
    "a regular expression whose group is the code without them"
)

_DOUBTFUL = (
    "equal exposure is assumed, but one build sends more than four fifths of all records: set [[exposure]], or "
    "exposure in [[comparison]]"
)

_UNUSED = (
    "[[exposure]] gives 0 users for {build!r}, which sends errors: give its users, else increases are missed or "
    "reported falsely"
)

_LATEST = "select max(complete_until_second) from pairs where is_current"

_FORGET = "delete from advice where list_contains($texts, text) or seen_at < $since"
_REMEMBER = "insert into advice select unnest($texts), $now"


def current(
    connection: Connection, *, is_due: bool = True, has_exposure: bool = True, problems: Sequence[str] = ()
) -> list[str]:
    """All current warnings, a sentence each.

    Args:
        is_due: also check what requires reading records of some hours: codes that contain ids, and exposure.
        has_exposure: all files of [[exposure]] could be read.
        problems: errors of files that the settings name.
    """
    found = [*problems, *_settings(connection)]
    if is_due and (latest := latest_complete(connection)) is not None:
        found += _ids(connection, latest)
        found += _exposures(connection, latest) if has_exposure else ()
    return found


def unreported(
    connection: Connection,
    now: datetime,
    judged: tuple[int, int] | None,
    *,
    every: bool,
    has_exposure: bool = True,
    problems: Sequence[str] = (),
) -> list[str]:
    """New warnings, or `every` warning; in the caller's transaction, which records that they were reported.

    Args:
        judged: the epoch seconds (after, until] of a pass, None if nothing waited. Records are read only if these
            include a full ten minutes of the clock, because that costs as much as a usual pass.
        has_exposure, problems: as of `current`.
    """
    is_due = judged is not None and judged[0] // DUE_SECONDS < judged[1] // DUE_SECONDS
    texts = current(connection, is_due=every or is_due, has_exposure=has_exposure, problems=problems)
    if not texts:
        return []
    reported = {"texts": texts, "since": now - REMEMBERED}
    found = list(run(connection, "reports/new_advice", {**reported, "every": every}).scalars())
    connection.exec_driver_sql(_FORGET, reported)
    connection.exec_driver_sql(_REMEMBER, {"texts": texts, "now": now})
    return found


def ahead(
    connection: Connection, *, since: datetime | None = None, after_batch: int = 0
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Rows of reports/ahead_batches, the oldest first: batches ahead of the clock, as with a wrong time zone."""
    limits = dict(zip(("least_ahead", "most_ahead"), AHEAD_SECONDS, strict=True))
    return run(connection, "reports/ahead_batches", {"since": since, "after_batch": after_batch, **limits}).all()


def latest_complete(connection: Connection) -> int | None:
    """The latest epoch second up to which a current pair is complete; None if there is no pair."""
    latest: int | None = connection.exec_driver_sql(compose(_LATEST)).scalar_one()
    return latest


def _settings(connection: Connection) -> Iterator[str]:
    for name, sentence in _SENTENCES.items():
        for row in connection.exec_driver_sql(compose(statement(name))).mappings():
            yield sentence.format(**row)
    for pattern in run(connection, "reports/unmatched_patterns").scalars():
        yield f"[[comparison]] compares builds {as_written(pattern)!r}, but no build with records matches that"


def _ids(connection: Connection, latest: int) -> Iterator[str]:
    codes, seen_once = run(connection, "reports/codes_seen_once", {"latest": latest}).one()
    if codes >= MANY_CODES and 10 * seen_once >= 9 * codes:
        yield _IDS


def _exposures(connection: Connection, latest: int) -> Iterator[str]:
    piece = Slice(latest - 1, latest, EXPOSURE_LEAD_SECONDS, lags=lags(connection))
    sql = compose(statement("reports/doubtful_exposures"), piece)
    for pair in connection.exec_driver_sql(sql, {"latest": latest}):
        builds = f"{pair.baseline} -> {pair.candidate}"
        if pair.unknown_build is not None:
            yield f"{builds}: {pair.assumption}, because [[exposure]] does not give the users of {pair.unknown_build!r}"
        if pair.is_nobody:
            yield f"{builds}: {pair.assumption}, because [[exposure]] gives 0 users for both builds"
        if pair.unused_build is not None:
            yield f"{builds}: {_UNUSED.format(build=pair.unused_build)}"
        if pair.is_doubtful:
            yield f"{builds}: {_DOUBTFUL}"
