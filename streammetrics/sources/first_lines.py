"""The first line of a delimited file: a header, or data where the source says so; and what is wrong with it."""

import json
from collections.abc import Sequence

from streammetrics.errors import ConfigError
from streammetrics.sources import times
from streammetrics.sources.columns import ROLES, Columns, fitting, places, positions, resolve
from streammetrics.sources.discovery import SourceFile

DELIMITERS = (",", "\t", ";", "|")
_UNUSUAL = ("^", "~", "\x1f", "\x01", ":", " ")


def columns(file: SourceFile, delimiter: str, fields: Sequence[str]) -> Columns:
    """The three columns, by the names in the header, or by position where there is none.

    Raises:
        ConfigError: the delimiter is not the file's, the header is data, or a column is not there; with what to set.
    """
    if fitting(file, fields) < len(ROLES):
        _require_delimiter(file, delimiter, fields)
    if file.source.header:
        if not places(file, fields):
            _require_header(file, fields)
        return resolve(file, fields)
    found = positions(file)
    for role, place in found.items():
        if place >= len(fields):
            raise ConfigError(
                f"{file.path}: the position of {role} is {place + 1}, and its first line has {len(fields)} fields "
                f"by the delimiter {_shown(delimiter)}; mend columns or delimiter of [[source]] {file.source.name!r}"
            )
    # Empty fields after the last column are a habit of writers.
    width = max(place + 1 for place in (*found.values(), *(n for n, field in enumerate(fields) if field)))
    return Columns(tuple(str(number + 1) for number in range(width)), **found)


def _require_delimiter(file: SourceFile, delimiter: str, fields: Sequence[str]) -> None:
    if len(fields) != 1:
        return
    usual = [other for other in DELIMITERS if other in fields[0]]
    unusual = [other for other in _UNUSUAL if fields[0].count(other) >= len(ROLES) - 1]
    if not usual and not unusual:
        return
    seen = max(usual or unusual, key=fields[0].count)
    looked_for = _shown(delimiter) if file.source.delimiter else "one of " + ", ".join(map(_shown, DELIMITERS))
    raise ConfigError(
        f"{file.path}: the delimiter, {looked_for}, is not found in its first line, which has {_shown(seen)}: set "
        f"delimiter = {json.dumps(seen)} in [[source]] {file.source.name!r} of the configuration"
    )


def _require_header(file: SourceFile, fields: Sequence[str]) -> None:
    ts = next((place for place, field in enumerate(fields) if times.looks_like_one(field)), None)
    if ts is None:
        return
    others = [place for place in range(max(len(fields), len(ROLES))) if place != ts]
    example = ", ".join(f"{role} = {place + 1}" for role, place in zip(ROLES, (ts, *others), strict=False))
    raise ConfigError(
        f"{file.path}: its first line is data and no header: field {ts + 1} is a time, {fields[ts][:60]!r}; set in "
        f"[[source]] {file.source.name!r} of the configuration, beside its name and path, "
        "at which positions the columns are:\n"
        f"header = false\ncolumns = {{ {example} }}"
    )


def _shown(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else repr(delimiter)
