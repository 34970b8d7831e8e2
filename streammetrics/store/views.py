"""sql/views/ as text, in its two uses: views over all history for people, and one query over a slice of time for jobs.

Filters do not pass through `floor()` and window functions, so the views read everything. A job instead puts the same
texts into one WITH, in which `counters` is the slice that it needs, and DuckDB skips the rest by its zone maps.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Connection

from streammetrics.config.rules import BLOCK_SECONDS, ESTIMATE_SECONDS
from streammetrics.store.statements import folder, quoted_name, statement

PRESENCE_LEAD_SECONDS = 2 * 3600
"""A gap longer than an hour is one whatever came before; the rate of the hour before it decides on shorter ones."""
PRESENCE_LAG_SECONDS = 3600
"""The record that ends a gap may lie behind the slice."""

EXPOSURE_LEAD_SECONDS = ESTIMATE_SECONDS + BLOCK_SECONDS
"""What a bin itself, without its windows, is computed from: the hour before its block of two minutes."""

_HINTS = {"gains": "not materialized ", "code_errors": "not materialized "}
"""What reads these needs few of them: of a short time, or of few series. So they are made where they are read."""

FIRST_SECOND, LAST_SECOND = -62135596800, 253402300799
"""Years 1 and 9999 in epoch seconds: as far as times reach in Python and DuckDB."""

PORTION_SECONDS = 6 * 3600
"""Of 500 codes and rules of means: a week in one piece runs out of 1 GB; in portions it does not."""


@dataclass(frozen=True)
class Relation:
    """One file of sql/views/: `name` is its relation, `reads` the relations that its header names."""

    name: str
    text: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Slice:
    """Bins that end in (after, until], epoch seconds; what they are computed from looks back `lead_seconds`.

    Evidence begins at most `history_seconds` before a bin, and so does that of the peak after which it may have ended.
    None: as far back as the lead. Of comparisons with what was sent before, these are the `lags` in seconds.
    """

    after: int
    until: int
    lead_seconds: int
    history_seconds: int | None = None
    lags: tuple[int, ...] = ()


@cache
def relations() -> dict[str, Relation]:
    """All files of sql/views/ by relation, lower floors first.

    Raises:
        InputOutputError: the installation lacks its SQL.
    """
    found = {}
    for path in sorted((folder() / "views").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        header = next(line for line in text.splitlines() if line.startswith("-- Reads: "))
        name = path.stem.split("_", 1)[1]
        found[name] = Relation(name, text, tuple(header.removeprefix("-- Reads: ").split(", ")))
    return found


@cache
def text_hash() -> str:
    """What the detectors' SQL is, comments aside: part of the settings that a history was judged with."""
    digest = hashlib.sha256()
    judging = _needed("select * from fired", {})
    for relation in relations().values():
        if relation.name in judging:
            lines = (line for line in relation.text.splitlines() if not line.lstrip().startswith("--"))
            digest.update("\n".join(lines).encode())
    return digest.hexdigest()[:16]


def publish(connection: Connection) -> bool:
    """Make the views again where this version's text is not what the store has; in the caller's transaction.

    Returns whether it has.
    """
    wanted = published_hash()
    if connection.exec_driver_sql("select views_hash from store_info").scalar_one() == wanted:
        return False
    found = connection.exec_driver_sql("select view_name from duckdb_views() where not internal and not temporary")
    for name in found.scalars().all():
        # Of an earlier version; counters_wide is made by ingest.
        if name not in relations() and name != "counters_wide":
            connection.exec_driver_sql(f"drop view {quoted_name(connection, name)}")
    for name in relations():
        # Each text once: of views that read views DuckDB plans every path between two of them again, for seconds.
        text = compose(f"select * from {name}", None, is_final=False, **for_people(name))  # noqa: S608 a name of sql/
        connection.exec_driver_sql(f"create or replace view {name} as {text}")
    connection.exec_driver_sql("update store_info set views_hash = ?", (wanted,))
    return True


def published_hash() -> str:
    """What `publish` leaves in the store."""
    comments = (folder() / "comments.csv").read_text(encoding="utf-8")
    return hashlib.sha256("".join([comments, *(r.name + r.text for r in relations().values())]).encode()).hexdigest()


def compose(final: str, piece: Slice | None = None, *, is_final: bool = False, **bases: str) -> str:
    """One query: every relation that `final` needs, lower ones first, then `final`.

    Args:
        final: a SELECT over relations of sql/views/ and base tables; its relations are found by their names.
        piece: the slice of time to read; None reads all.
        is_final: the input is over, so that the last bin is complete.
        bases: texts that stand in for a base table or a relation, by its name.
    """
    texts = parts(final, piece, is_final=is_final, **bases)
    if not texts:
        return final
    named = (f"{name} as {_HINTS.get(name, '')}(\n{text}\n)" for name, text in texts.items())
    # What `final` begins with itself goes on with these.
    own = final.removeprefix("with")
    return "with\n" + ",\n\n".join(named) + (f"\n\n{final}" if own == final else f",\n{own}")


def parts(final: str, piece: Slice | None = None, *, is_final: bool = False, **bases: str) -> dict[str, str]:
    """The texts that `compose` puts before `final`, by the names of their relations, lower ones first."""
    needed = _needed(final, bases)
    texts: dict[str, str] = {}
    if piece is not None:
        texts["counters"] = _counters(piece.after - piece.lead_seconds, piece.until)
    if is_final:
        texts["settings"] = "select * replace (true as is_final) from main.settings"
    texts.update({name: text for name, text in bases.items() if name not in relations()})
    for name, relation in relations().items():
        if name in needed:
            texts[name] = bases[name] if name in bases else _sliced(relation, piece)
    return texts


def _needed(final: str, bases: Mapping[str, str]) -> set[str]:
    """The relations that a text reads, and all that these read; of what `bases` replace, that of their texts."""
    needed = read_by(final)
    for relation in reversed(relations().values()):
        if relation.name in needed:
            needed |= read_by(bases[relation.name]) if relation.name in bases else set(relation.reads)
    return needed & relations().keys()


def read_by(text: str) -> set[str]:
    """The tables, relations and CTEs that a text of sql/ reads: the words behind FROM and JOIN."""
    return set(re.findall(r"\b(?:from|join)\s+(\w+)", text))


def _sliced(relation: Relation, piece: Slice | None) -> str:
    """The relation's text, with the slice's bounds in place of those of the whole store."""
    if piece is None:
        return relation.text
    begin, end = piece.after - piece.lead_seconds, piece.until
    if relation.name == "side_counters":
        return _side_counters(begin, end, piece.lags)
    if relation.name == "presence":
        wide = _side_counters(begin - PRESENCE_LEAD_SECONDS, end + PRESENCE_LAG_SECONDS, piece.lags)
        return f"with side_counters as (\n{wide}\n)\nselect * from (\n{relation.text}\n)"
    if relation.name == "span":
        cut = statement("jobs/slice_span").replace("$presence_begin", f"{begin - PRESENCE_LEAD_SECONDS:d}")
        cut = cut.replace("$begin", f"{begin:d}").replace("$until", f"{end:d}")
        return f"with span as (\n{relation.text}\n)\n{cut}"
    if relation.name == "judged_bins":
        cut = statement("jobs/slice_judged_bins").replace("$after", f"{piece.after:d}")
        return f"with judged_bins as (\n{relation.text}\n)\n{cut.replace('$until', f'{end:d}')}"
    if relation.name in ("gains", "suspects") and piece.history_seconds is not None:
        read, times = ("bins", 2) if relation.name == "gains" else ("gains", 1)
        recent = f"select * from {read} where bin_second >= {piece.after - times * piece.history_seconds:d}"  # noqa: S608
        return f"with {read} as (\n{recent}\n)\nselect * from (\n{relation.text}\n)"
    return relation.text


def for_people(name: str) -> dict[str, str]:
    """In place of relations below `name` in views for people: the evidence of all series, not of suspects alone."""
    return {"suspects": statement("jobs/every_series")} if name == "evidence" else {}


def whole_incidents(tails: str) -> str:
    """In place of `alerts`: all alerts of each rule, comparison and code that the query `tails` selects alerts of.

    Late data may have joined incidents while each alert keeps its own number, so the whole past of a code is needed.
    """
    return f"select * from main.alerts semi join ({tails}) as tails using (rule, baseline, candidate, code)"  # noqa: S608


def alerts_of_open_incidents() -> str:
    """In place of `alerts`, where only incidents that are open are read: the history may be long."""
    return whole_incidents(statement("reports/latest_alerts"))


def lags(connection: Connection, **bases: str) -> tuple[int, ...]:
    """How many seconds before their time the sides of comparisons were sent, builds of now aside."""
    sides = compose("select distinct lag_seconds from earlier where lag_seconds > 0", None, is_final=False, **bases)
    return tuple(sorted(connection.exec_driver_sql(sides).scalars()))


def counters_of(piece: Slice) -> str:
    """All counters that any relation of the slice reads."""
    begin, end = piece.after - piece.lead_seconds - PRESENCE_LEAD_SECONDS, piece.until + PRESENCE_LAG_SECONDS
    return _counters(begin, end, piece.lags)


def _side_counters(begin: int, end: int, lags: tuple[int, ...]) -> str:
    """The relation of the epoch seconds [begin, end), from the counters of these and of those the lags before."""
    counters, own = _counters(begin, end, lags), relations()["side_counters"].text
    text = f"with counters as (\n{counters}\n)\nselect * from (\n{own}\n)"
    return f"{text}\nwhere second >= {begin:d} and second < {end:d}" if lags else text


def _counters(begin: int, end: int, lags: tuple[int, ...] = ()) -> str:
    """The counters of the epoch seconds [begin, end), and of those the lags before; each once. It may be empty."""
    ranges: list[tuple[int, int]] = []
    for since, until in sorted((begin - lag, end - lag) for lag in (0, *lags)):
        free = max(since, ranges[-1][1]) if ranges else since
        ranges += [(free, until)] if free < until or not ranges else []
    return "\nunion all\n".join(
        "select * from main.counters\n"  # noqa: S608 literals of whole numbers
        f"where second >= {timestamp_literal(since)} and second < {timestamp_literal(until)}"
        for since, until in ranges
    )


def portions(since: int, until: int, length: int, blocks: Iterable[int] | None = None) -> list[tuple[int, int]]:
    """Cut the epoch seconds from `since` to `until` at multiples of `length`: what is too long is too much for memory.

    Args:
        blocks: of the pieces, numbered from 1970 on, only these.
    """
    numbers = range(since // length, -(-until // length)) if blocks is None else sorted(blocks)
    pieces = ((max(since, number * length), min(until, (number + 1) * length)) for number in numbers)
    return [(start, stop) for start, stop in pieces if start < stop]


def timestamp_literal(second: int) -> str:
    """An epoch second as a SQL literal, which unlike a parameter or an expression DuckDB compares to its zone maps."""
    return f"timestamp '{datetime.fromtimestamp(min(max(second, FIRST_SECOND), LAST_SECOND), UTC):%Y-%m-%d %H:%M:%S}'"
