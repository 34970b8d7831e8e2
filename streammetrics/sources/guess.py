"""How a sample file is to be read, as keys of a [[source]]: names of columns decide, and then what they hold."""

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
_TIMES, _LOCAL, _CLOCKS = range(3)
_KINDS = "select count(coalesce(utc_ts, local_ts)), count(local_ts), count(*) filter (is_clock) from times"


@dataclass(frozen=True)
class Guess:
    """`keys`: of [[source]], beside its name and path. `assumed`: what was found and assumed, for people."""

    keys: dict[str, object]
    assumed: list[str]


def guess(connection: Connection, path: Path, scratch: Path) -> Guess:
    """How a file is to be read; a compressed one is unpacked to `scratch`. Raises ConfigError where a column lacks."""
    source = Source(name="sample", path=str(path), format="csv")
    with unpack(describe(source, path), scratch.parent, scratch.name) as plain:
        snapshot = Snapshot(plain)
        start = snapshot.beginning.lstrip(b"\xef\xbb\xbf \t\r\n")
        kind = "parquet" if start[:4] == b"PAR1" else "jsonl" if start[:1] == b"{" else "csv"
        file = describe(source.model_copy(update={"format": kind}), path)  # its suffix comes before what it holds
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
    """Which column is what, and of which day its times are, beside the keys that are known."""
    filled = {name: values for name in texts if (values := list(filter(None, texts[name])))}
    free, days, roles = list(filled), list[str](), dict[str, str]()
    kinds = {name: _kind(connection, filled[name]) for name in free}
    known = {free[place]: role for role, place in columns.places(file, free).items()}
    for role in columns.ROLES:
        fit = [name for name in free if known.get(name, role) == role and (role != "ts" or kinds[name][_TIMES])]
        if not fit:
            shown = ", ".join(f"{name!r} ({values[0]})" for name, values in filled.items()) or "none"
            form = "; times of other forms need time_format" if role == "ts" else ""
            raise ConfigError(f"{file.path}: no column can be {role}{form}; there are: {shown}")
        roles[role] = min(fit, key=lambda name: (name not in known, *_misfit(role, name, filled[name])))
        free.remove(roles[role])
        if role == "ts" and kinds[roles[role]][_CLOCKS]:
            joined = {name: list(map(" ".join, zip(texts[name], texts[roles[role]], strict=True))) for name in free}
            days = [name for name, both in joined.items() if _kind(connection, both)[_TIMES]][:1]
            free = [name for name in free if name not in days]
    lines, ts, day = [", ".join(f"{key} {value!r}" for key, value in keys.items())], [*days, roles["ts"]], ""
    if kinds[ts[-1]][_CLOCKS] and not days:
        written = datetime.fromtimestamp(file.modified_ns / 1e9, UTC).date()
        keys["date"] = "name" if day_in(file.path.name) else str(written)
        day = f", times of day; assumed is date {keys['date']!r}"
    if days or any(known.get(name) != role for role, name in roles.items()):
        as_key = int if "header" in keys else str
        by_role = {role: as_key(name) for role, name in roles.items()}
        keys["columns"] = by_role if not days else {**by_role, "ts": list(map(as_key, ts))}
    zone = ", without a zone; assumed is timezone 'UTC'" if kinds[ts[-1]][_LOCAL] else ""
    lines += [f"time: {' and '.join(map(repr, ts))}, such as {' '.join(filled[name][0] for name in ts)}{day}{zone}"]
    for role in ("build", "code"):
        values = list(dict.fromkeys(filled[roles[role]]))
        lines.append(f"{role}: {roles[role]!r}, {len(values):,} different, such as {', '.join(values[:3])}")
    lines += [f"not read: {', '.join(rest)}"] if (rest := list(map(repr, free))) else []
    return Guess(keys, lines)


def _misfit(role: str, name: str, values: list[str]) -> tuple[object, ...]:
    """Less for a column that is more likely: by its name, then by what it holds."""
    distinct, is_other = len(set(values)), re.search(_HINTS[role], name, re.IGNORECASE) is None
    if role == "ts":
        return is_other, values[0].isdecimal()
    if role == "build":
        return is_other, not all(map(_VERSION.fullmatch, values)), distinct
    return is_other, distinct == 1, distinct > len(values) / 2


def _kind(connection: Connection, texts: list[str]) -> list[bool]:
    """As ingest reads times; nine of ten decide, for some lines may be bad."""
    ctes = ("with records as (", _TEXTS, "), times as (", statement("jobs/times"), ")", _KINDS)
    with connection.begin():
        found = connection.exec_driver_sql("\n".join(ctes), {"texts": texts, "day": "2000-01-01", "time_format": None})
        return [count >= 0.9 * len(texts) for count in found.one()]
