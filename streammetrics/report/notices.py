"""What changed, in the table `notices`: a row per change and channel, marked when the channel took it.

A change is kept in one transaction and printed afterwards: what could not be written is printed by the next run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from streammetrics.detect.incidents import Change
from streammetrics.detect.new_codes import NewCodes
from streammetrics.report import wording
from streammetrics.runtime import terminal
from streammetrics.store.statements import run

STDOUT = "stdout"
"""The channel of `run`: a terminal, or the mail that cron sends."""
NEW_CODES = "new_codes"

Notices = Sequence[Row[*tuple[Any, ...]]]
"""Rows of `notices`; `code` is None where it is of many, `text` and `json` are the lines for people and programs."""


def keep(connection: Connection, changed: Sequence[Change], found: Sequence[NewCodes], now: datetime) -> None:
    """Store what there is to tell on stdout; in the caller's transaction. `now` is naive UTC."""
    rows = [
        (one.change, one.incident["code"], wording.change_line(one), {"change": one.change, **one.incident})
        for one in changed
    ]
    texts = wording.new_code_lines(found)
    rows += [
        (NEW_CODES, None, text, {"change": NEW_CODES, **asdict(one)}) for one, text in zip(found, texts, strict=True)
    ]
    for change, code, text, fields in rows:
        row = {"channel": STDOUT, "change": change, "code": code, "text": text, "json": terminal.as_json(fields)}
        run(connection, "jobs/keep_notice", {**row, "now": now})


def waiting(connection: Connection) -> Notices:
    """What stdout has not taken, oldest first."""
    return run(connection, "reports/waiting_notices", {"channel": STDOUT}).all()


def taken(connection: Connection, notices: Notices, now: datetime) -> None:
    """Mark these as taken by their channel; in the caller's transaction. `now` is naive UTC."""
    run(connection, "jobs/take_notices", {"notices": [one.notice_id for one in notices], "now": now})


def lines(notices: Notices, *, as_json: bool) -> Iterator[str]:
    """All of them as JSON; or as text for people, with changes past the first ones counted by code."""
    if as_json:
        yield from (one.json for one in notices)
        return
    changes = [one for one in notices if one.change != NEW_CODES]
    yield from wording.first_lines([(one.code or "", one.text) for one in changes], "change")
    yield from (one.text for one in notices if one.change == NEW_CODES)
