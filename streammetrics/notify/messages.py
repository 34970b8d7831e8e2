"""Turns the waiting notices of a channel into messages. Pure functions: nothing is read or written."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from streammetrics.runtime import suggestions
from streammetrics.runtime.terminal import counted, named, printable

OPENINGS = ("opened", "reopened")
BEGINNINGS = (*OPENINGS, "worse", "feed_silent", "job_failing")
ENDS = ("resolved", "superseded", "withdrawn", "feed_back", "job_recovered")

MOST_LINES = 7
LARGEST = 3


@dataclass(frozen=True)
class Notice:
    """A row of `notices` that its channel has not accepted yet.

    `text` is for people, `json` for programs. For channels other than stdout, the first line of `text` is the subject.
    Notices of one incident, or of one storm, have the same `key`.
    """

    notice_id: int
    change: str
    incident_id: int | None
    code: str | None
    text: str
    json: str
    key: str

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The content of `json`: for an incident its columns and those of its change."""
        found: dict[str, Any] = json.loads(self.json)
        return found

    @property
    def about(self) -> int | str:
        """Its incident, feed or job."""
        return self.key if self.incident_id is None else self.incident_id


@dataclass(frozen=True)
class Message:
    """One message. If it is sent again after a crash, it has the same key.

    `kind`: firing, if an incident began or got worse; over, if everything in it has ended; else news.
    """

    key: str
    kind: Literal["firing", "over", "news"]
    subject: str
    body: str
    changes: tuple[dict[str, Any], ...]
    notice_ids: tuple[int, ...]


def due_and_dropped(waiting: Iterable[Notice], is_held: Callable[[Notice], bool]) -> tuple[list[Notice], list[Notice]]:
    """The notices to send, and those to drop: of incidents that ended while their notices were held back.

    All others wait. If the beginning of an incident was sent, its end is sent too, muted or not.
    """
    due: list[Notice] = []
    dropped: list[Notice] = []
    held: dict[int | str, list[Notice]] = {}
    for one in waiting:
        if one.change in BEGINNINGS and (one.about in held or is_held(one)):
            held.setdefault(one.about, []).append(one)
        elif one.change in ENDS and one.about in held:
            begun = held.pop(one.about)
            dropped += begun
            # If only `worse` was held back, the channel has the beginning, and waits for the end.
            (dropped if any(other.change in OPENINGS for other in begun) else due).append(one)
        else:
            due.append(one)
    return due, dropped


def grouped(due: Sequence[Notice], storm_incidents: int, link: str | None = None) -> list[Message]:
    """All notices as one message; `link` is the URL of the report."""
    return [_message(f"notice-{due[0].notice_id}", due, storm_incidents, link)] if due else []


def by_key(
    due: Sequence[Notice], storm_incidents: int, open_keys: Collection[str], link: str | None = None
) -> list[Message]:
    """One message per key, for pagers, which recognize an incident by its key. A storm ends with its last incident.

    Args:
        open_keys: keys of open incidents; ends with such a key wait for the other incidents.
    """
    found: dict[str, list[Notice]] = {}
    for one in due:
        found.setdefault(one.key, []).append(one)
    messages = [_message(key, rows, storm_incidents, link) for key, rows in found.items()]
    return [one for one in messages if one.kind != "over" or one.key not in open_keys]


def _message(key: str, rows: Sequence[Notice], storm_incidents: int, link: str | None) -> Message:
    changes = tuple(one.fields for one in rows)
    ids = tuple(one.notice_id for one in rows)
    # The last change decides: an incident that began and ended meanwhile is over.
    last = {one.about: one.change for one in rows if one.change in BEGINNINGS + ENDS}
    begun = [one for one in rows if one.change in OPENINGS]
    standing = [one for one in rows if last.get(one.about) in BEGINNINGS]
    kind: Literal["firing", "over", "news"] = "firing" if standing else "over" if last else "news"
    begun = [one for one in begun if last[one.about] in BEGINNINGS]
    storm = _storm(begun) if len(begun) > storm_incidents else None
    # An incident that began and ended meanwhile is one line.
    shown = [one for one in rows if one.change not in BEGINNINGS or last[one.about] in BEGINNINGS]
    subject, _, body = (standing or shown)[0].text.partition("\n")
    if len(shown) > 1:
        lines = [_line(one) for one in shown if storm is None or one not in begun]
        subject = storm or f"{subject}, and {counted(len(shown) - 1, 'more change')}"
        rest = len(lines) - MOST_LINES
        more = [f"... and {counted(rest, 'more change')}"] if rest > 0 else []
        closing = [f"All of them: {suggestions.command_anywhere('streammetrics status')}", *([link] if link else [])]
        body = "\n".join([*lines[:MOST_LINES], *more, *closing])
    return Message(key, kind, subject, body, changes, ids)


def _storm(begun: Sequence[Notice]) -> str:
    """Many incidents in one line, with those that have the most errors beyond the expected number."""
    found = sorted((one.fields for one in begun), key=_excess, reverse=True)
    largest = ", ".join(f"{named(one['code'])} (+{_excess(one):,.0f} errors)" for one in found[:LARGEST])
    candidates = ", ".join(sorted({printable(one["candidate"]) for one in found}))
    codes = counted(len({one["code"] for one in found}), "code")
    return f"[STORM] {codes} increased in {candidates}, most of all {largest}"


def _excess(change: dict[str, Any]) -> float:
    ratio, errors = change["ratio"], change["candidate_errors"]
    return float(errors) if not ratio else max(0.0, errors * (1 - 1 / ratio))


def _line(one: Notice) -> str:
    """The subject of a notice with the next two lines: how much, and since when."""
    subject, *body = one.text.split("\n")
    return ": ".join([subject, *([", ".join(body[:2])] if body else [])])
