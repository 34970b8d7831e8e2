"""Detects how to read a sample file, as keys of a [[source]]: by names of columns first, then by their values."""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.config.source import Source
from streammetrics.errors import ConfigError, DamagedInputError
from streammetrics.sources import columns, delimited, json_lines
from streammetrics.sources.checks import binary_kind
from streammetrics.sources.discovery import SourceFile, day_in, describe
from streammetrics.sources.open_once import named
from streammetrics.sources.snapshot import Snapshot
from streammetrics.sources.times import looks_like_one
from streammetrics.sources.unpack import unpack
from streammetrics.store.statements import statement

_RECORDS, _SHOWN = 1000, 200
_HINTS = {"ts": "time|date|stamp|_at$", "build": "build|version|release", "code": "code|err|reason|exception"}
_VERSION = re.compile(r"(\w+[-/ _])?v?\d+(\.\d+)+\S*", re.ASCII)
_PARQUET = "select * from read_parquet($path, hive_partitioning = false) limit 1000"
_TEXTS = "select 0 as line, '' as reason, unnest($texts) as ts, '' as build, '' as code, '' as client, '' as content"
_DAY_AND_MONTH = re.compile(
    r"\s*\d{1,2}(?P<mark>[./-])\d{1,2}(?P=mark)\d{4}(?P<gap>,? )\d{1,2}:\d\d(?P<seconds>:\d\d)?((?P<point>[.,])\d+)?"
    r"(?P<half>[ \u202f]?[AaPp][Mm])?(?P<zone> ?[+-]\d\d(:?\d\d)?)?\s*",
    re.ASCII,
)
_KINDS = "select count(coalesce(utc_ts, local_ts)), count(local_ts), count(*) filter (is_clock) from times"


@dataclass(frozen=True)
class Guess:
    """`keys`: for [[source]], besides name and path. `assumed`: what was found and assumed, for people."""

    keys: dict[str, object]
    assumed: list[str]


@dataclass(frozen=True)
class _Kind:
    """Whether texts are times, without a zone, times of day. `formats`: time_format, and others that fit."""

    is_time: bool
    is_local: bool
    is_clock: bool
    formats: Sequence[str] = ()


def guess(connection: Connection, path: Path, scratch: Path) -> Guess:
    """Detect how to read a file; a compressed one is unpacked to `scratch`. ConfigError: a column is missing."""
    source = Source(name="sample", path=str(path), format="csv")
    with unpack(describe(source, path), scratch.parent, scratch.name) as plain:
        snapshot = Snapshot(plain)
        start = snapshot.beginning.lstrip(b"\xef\xbb\xbf \t\r\n")
        kind = "parquet" if binary_kind(start) == "Parquet" else "jsonl" if start[:1] == b"{" else "csv"
        file = describe(source.model_copy(update={"format": kind}), path)  # The suffix comes before the content.
        keys: dict[str, object] = {"format": file.format}
        rows: Sequence[Sequence[object]]
        if file.format == "jsonl":
            sample = {".".join(place): values for place, values in json_lines.sample(snapshot, ()).items()}
            names, rows = list(sample), list(zip_longest(*sample.values(), fillvalue=""))
        elif file.format == "parquet":
            try:
                with connection.begin():
                    result = connection.exec_driver_sql(_PARQUET, {"path": glob.escape(str(plain))})
                    names, rows = list(result.keys()), result.all()
            except DBAPIError as error:
                raise DamagedInputError(f"{path}: cannot be read as Parquet: {named(str(error.orig), path)}") from None
        else:
            head = delimited.sniff(file, snapshot)
            if other := delimited.other_delimiter(head.fields):
                split = replace(file, source=source.model_copy(update={"delimiter": other}))
                head = delimited.sniff(split, snapshot)
            names, keys["delimiter"] = head.fields, head.delimiter
            if not columns.places(file, names) and any(map(looks_like_one, names)):
                names, keys["header"] = [str(place + 1) for place in range(len(names))], False
            rows = list(delimited.rows(snapshot, head, len(names), head.lead + ("header" not in keys), _RECORDS))
    places = {name: names.index(name) for name in names if name and name.isprintable()}
    texts = {name: ["" if row[at] is None else str(row[at])[:_SHOWN] for row in rows] for name, at in places.items()}
    return _roles(connection, file, texts, keys)


def _roles(connection: Connection, file: SourceFile, texts: dict[str, list[str]], keys: dict[str, object]) -> Guess:
    """The roles of columns, and the date of times of day, besides the keys that are known."""
    filled = {name: values for name in texts if (values := list(filter(None, texts[name])))}
    free, days, roles = list(filled), list[str](), dict[str, str]()
    kinds = {name: _kind(connection, filled[name]) for name in free}
    known = {free[place]: role for role, place in columns.places(file, free).items()}
    for role in columns.ROLES:
        fit = [name for name in free if known.get(name, role) == role and (role != "ts" or kinds[name].is_time)]
        if not fit:
            shown = ", ".join(f"{name!r} ({values[0]})" for name, values in filled.items()) or "none"
            form = "; times of other forms need time_format, which is found for none of these" if role == "ts" else ""
            raise ConfigError(f"{file.path}: no column can be {role}{form}; there are: {shown}")
        roles[role] = min(fit, key=lambda name: (name not in known, *_misfit(role, name, filled[name])))
        free.remove(roles[role])
        if role == "ts" and kinds[roles[role]].is_clock:
            joined = {name: list(map(" ".join, zip(texts[name], texts[roles[role]], strict=True))) for name in free}
            both = {name: kind for name in free if (kind := _kind(connection, joined[name])).is_time}
            days = list(both)[:1]
            free = [name for name in free if name not in days]
    lines, ts, day = [", ".join(f"{key} {value!r}" for key, value in keys.items())], [*days, roles["ts"]], ""
    kind = both[days[0]] if days else kinds[ts[0]]
    if kind.is_clock and not days:
        written = datetime.fromtimestamp(file.modified_ns / 1e9, UTC).date()
        keys["date"] = "name" if day_in(file.path.name) else str(written)
        day = f", times of day; assumed is date {keys['date']!r}"
    if days or any(known.get(name) != role for role, name in roles.items()):
        as_key = int if "header" in keys else str
        by_role = {role: as_key(name) for role, name in roles.items()}
        keys["columns"] = by_role if not days else {**by_role, "ts": list(map(as_key, ts))}
    if kind.formats:
        keys["time_format"], *others = kind.formats
        day = f", read by time_format {kind.formats[0]!r}"
        day += "".join(f"; {other!r} fits as well: check which of both is the day" for other in others)
    zone = ", without a zone; assumed is timezone 'UTC'" if kind.is_local else ""
    lines += [f"time: {' and '.join(map(repr, ts))}, such as {' '.join(filled[name][0] for name in ts)}{day}{zone}"]
    for role in ("build", "code"):
        values = list(dict.fromkeys(filled[roles[role]]))
        lines.append(f"{role}: {roles[role]!r}, {len(values):,} different, such as {', '.join(values[:3])}")
    lines += [f"not read: {', '.join(rest)}"] if (rest := list(map(repr, free))) else []
    return Guess(keys, lines)


def _misfit(role: str, name: str, values: list[str]) -> tuple[object, ...]:
    """Lower for a likelier column: by its name, then by its values."""
    distinct, is_other = len(set(values)), re.search(_HINTS[role], name, re.IGNORECASE) is None
    if role == "ts":
        return is_other, values[0].isdecimal()
    if role == "build":
        return is_other, not all(map(_VERSION.fullmatch, values)), distinct
    return is_other, distinct == 1, distinct > len(values) / 2


def _kind(connection: Connection, texts: list[str]) -> _Kind:
    """How to read times: as ingest does, or by a time_format; nine of ten must fit, as some lines may be bad."""
    times, locals_, clocks = _counts(connection, texts, None)
    least = 0.9 * len(texts)
    if times >= least:
        return _Kind(True, locals_ >= least, clocks >= least)
    formats = next(filter(None, map(_formats, texts)), [])
    counts = {one: _counts(connection, texts, one) for one in formats}
    most = max([least, *(count[0] for count in counts.values())])
    fit = [one for one, count in counts.items() if count[0] == most]
    return _Kind(bool(fit), bool(fit) and counts[fit[0]][1] >= least, False, fit)


def _counts(connection: Connection, texts: list[str], time_format: str | None) -> Sequence[int]:
    """How many texts are times, times without a zone, and times of day."""
    ctes = ("with records as (", _TEXTS, "), times as (", statement("jobs/times"), ")", _KINDS)
    parameters = {"texts": texts, "day": "2000-01-01", "time_format": time_format}
    with connection.begin():
        return list(connection.exec_driver_sql("\n".join(ctes), parameters).one())


def _formats(text: str) -> list[str]:
    """The formats of a text such as 27.11.2026 14:00:05, day first or month first, the likelier one first."""
    found = _DAY_AND_MONTH.fullmatch(text)
    if found is None:
        return []
    mark, gap, seconds, point, half, zone = (found[name] or "" for name in _DAY_AND_MONTH.groupindex)
    clock = ("%I" if half else "%H") + ":%M" + (seconds and ":%S") + (point and f"{point}%n")
    clock += half[:-2] + (half and "%p") + (zone and zone[: zone.startswith(" ")] + "%z")
    days = [f"%d{mark}%m{mark}%Y{gap}{clock}", f"%m{mark}%d{mark}%Y{gap}{clock}"]
    # With AM and PM, the month usually comes first.
    return days[::-1] if half and mark == "/" else days
