"""What changed, in the table `notices`: a row per change and channel, marked when the channel took it.

A change is kept in one transaction and printed afterwards: what could not be written is printed by the next run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.detect.incidents import Change
from streammetrics.detect.new_codes import NewCodes
from streammetrics.report import wording
from streammetrics.runtime import terminal
from streammetrics.store.statements import run

STDOUT = "stdout"
"""The channel of `run`: a terminal, or the mail that cron sends."""
NEW_CODES = "new_codes"


@dataclass(frozen=True)
class Notice:
    """A row of `notices`: `text` and `json` are the lines for people and programs; `code` may be None."""

    notice_id: int
    change: str
    code: str | None
    text: str
    json: str


def keep(connection: Connection, changed: Sequence[Change], found: Sequence[NewCodes], now: datetime) -> None:
    """Store what there is to tell on stdout; in the caller's transaction. `now` is naive UTC."""
    for one in changed:
        _insert(connection, now, one.change, one.incident.code, wording.change_line(one), _fields(one))
    for new, text in zip(found, wording.new_code_lines(found), strict=True):
        _insert(connection, now, NEW_CODES, None, text, {"change": NEW_CODES, **vars(new)})


def _insert(
    connection: Connection, now: datetime, change: str, code: str | None, text: str, fields: dict[str, object]
) -> None:
    row = {"channel": STDOUT, "change": change, "code": code, "text": text, "json": terminal.as_json(fields)}
    run(connection, "jobs/keep_notice", {**row, "now": now})


def _fields(change: Change) -> dict[str, object]:
    """A change in JSON: the fields of its incident, then its own."""
    fields = {"change": change.change, **vars(change.incident), **vars(change)}
    del fields["incident"]
    return fields


def waiting(connection: Connection) -> list[Notice]:
    """What stdout has not taken, oldest first."""
    return [Notice(*row) for row in run(connection, "reports/waiting_notices", {"channel": STDOUT})]


def taken(connection: Connection, notices: Sequence[Notice], now: datetime) -> None:
    """Mark these as taken by their channel; in the caller's transaction. `now` is naive UTC."""
    run(connection, "jobs/take_notices", {"notices": [one.notice_id for one in notices], "now": now})


def lines(notices: Sequence[Notice], *, as_json: bool) -> Iterator[str]:
    """All of them as JSON; or as text for people, with changes past the first ones counted by code."""
    if as_json:
        yield from (one.json for one in notices)
        return
    changes = [one for one in notices if one.change != NEW_CODES]
    yield from wording.first_lines([(one.code or "", one.text) for one in changes], "change")
    yield from (one.text for one in notices if one.change == NEW_CODES)
