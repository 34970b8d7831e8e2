"""How CSV and its kin begin: lines before the header, the delimiter, and the columns; and headers further down."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TextIO

from streammetrics.errors import ConfigError
from streammetrics.sources.columns import ROLES, Columns, fitting, missing, places, positions, resolve
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.plain import LONGEST_RECORD, OPEN_QUOTE, long_fields
from streammetrics.sources.snapshot import Snapshot
from streammetrics.sources.times import looks_like_one

DELIMITERS = (",", "\t", ";", "|")
_UNUSUAL = ("^", "~", "\x1f", "\x01", ":", " ")

HEADER = "is a header"
"""So begins the reason of a reject that is one, and by which the columns are read from there on."""

# For spreadsheets: a first line such as sep=;
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


class Head(NamedTuple):
    """How a text begins: the fields of its first record or header, and the number of lines before that.

    `is_spaced`: blanks stand beside delimiters, and are no part of fields.
    """

    delimiter: str
    fields: list[str]
    lead: int
    is_spaced: bool


def sniff(file: SourceFile, snapshot: Snapshot) -> Head:
    """The delimiter is the one with which most of the three columns are found."""
    lead, named = 0, ""
    with snapshot.open_text() as stream:
        # Blank lines, comments, and one that names the delimiter.
        while line := read_line(stream):
            text = line.strip("\r\n") if len(line) <= LONGEST_RECORD else ""
            head = _fit(file, text, file.source.delimiter or named, lead)
            is_comment = text.startswith("#") and fitting(file, head.fields) < len(ROLES)
            if found := _SEPARATOR.fullmatch(text):
                named = found[1]
            elif len(line) > LONGEST_RECORD or (text and not is_comment):
                return head
            lead += 1
    return _fit(file, "", file.source.delimiter or named, lead)


def _fit(file: SourceFile, text: str, delimiter: str, lead: int) -> Head:
    tab_first = ("\t", *DELIMITERS) if file.format == "tsv" else DELIMITERS
    heads = []
    for candidate in (delimiter,) if delimiter else tab_first:
        heads.append(Head(candidate, fields(text, candidate, is_spaced=True), lead, _is_spaced(text, candidate)))
    return max(heads, key=lambda head: (fitting(file, head.fields), len(head.fields)))


def _is_spaced(line: str, sign: str) -> bool:
    """Whether a blank stands before each delimiter of a line, or behind each."""
    number = line.count(sign)
    return sign != " " and 0 < number in (line.count(f"{sign} "), line.count(f" {sign}"))


def fields(text: str, delimiter: str, *, is_spaced: bool, is_strict: bool = False) -> list[str]:
    """The fields of one line.

    Raises:
        ValueError: a quote is in the wrong place, if `is_strict`.
    """
    with long_fields():
        try:
            return next(csv.reader([text], delimiter=delimiter, skipinitialspace=is_spaced, strict=is_strict), [])
        except csv.Error:
            raise ValueError(OPEN_QUOTE) from None


def read_line(stream: TextIO) -> str:
    """The next physical line with its end; of one that is too long, as much as shows that. Empty at the end.

    A byte order mark before it, as where files were put together, is left out.
    """
    line = rest = stream.readline(LONGEST_RECORD + 1)
    while len(rest) > LONGEST_RECORD and not rest.endswith(("\r", "\n")):
        rest = stream.readline(LONGEST_RECORD + 1)
    return line.removeprefix("\ufeff")


def columns(file: SourceFile, snapshot: Snapshot, head: Head, header_line: int | None) -> Columns:
    """The columns by the names in the header, or in a later line (from 1) that holds from there on; or by position.

    Raises:
        ConfigError: the delimiter is not the file's, the header is data, or a column is not there; with what to set.
    """
    names, delimiter = head.fields, head.delimiter
    if header_line is not None:
        with snapshot.open_text() as stream:
            line = next(islice(iter(lambda: read_line(stream), ""), header_line - 1, None), "")
        names = fields(line.strip("\r\n"), delimiter, is_spaced=head.is_spaced)
    if fitting(file, names) < len(ROLES):
        _require_delimiter(file, delimiter, names)
    if file.source.header:
        if not places(file, names):
            _require_header(file, names)
        return resolve(file, names)
    found = positions(file)
    for role, place in found.items():
        if place >= len(names):
            raise ConfigError(
                f"{file.path}: the position of {role} is {place + 1}, and its first line has {len(names)} fields "
                f"by the delimiter {_shown(delimiter)}; mend columns or delimiter of [[source]] {file.source.name!r}"
            )
    # Empty fields after the last column are a habit of writers.
    width = max(place + 1 for place in (*found.values(), *(n for n, field in enumerate(names) if field)))
    return Columns(tuple(str(number + 1) for number in range(width)), **found)


def times(snapshot: Snapshot, columns: Columns, head: Head, skipped: int, most: int) -> Iterator[str]:
    """The times of the first records that can be split without care."""
    for row in rows(snapshot, head, len(columns.names), skipped, most):
        yield " ".join(row[place] for place in columns.times)


def rows(snapshot: Snapshot, head: Head, width: int, skipped: int, most: int) -> Iterator[list[str]]:
    """Those of the first lines that have as many fields as there are columns."""
    with snapshot.open_text() as stream, long_fields():
        lines = islice(iter(lambda: read_line(stream), ""), skipped, skipped + most)
        for row in csv.reader(lines, delimiter=head.delimiter, skipinitialspace=head.is_spaced):
            if len(row) == width:
                yield row


def next_header(file: SourceFile, row: Sequence[str], line: int) -> tuple[Columns | None, str, str]:
    """The columns from here on, why this row is no record, and why the rows after it are none."""
    found = places(file, row)
    lacking = missing(file, found)
    if lacking or len(set(found.values())) < len(found):
        what = f"{HEADER} without a column for {', '.join(lacking or ROLES)}"
        return None, what, f"stands after line {line}, which {what}"
    return Columns(tuple(row), **found), f"{HEADER}: columns are read by it from here on", ""


def other_delimiter(fields: Sequence[str]) -> str:
    """The delimiter that a line has which was not split by the one in use; empty if it was, or has none."""
    if len(fields) != 1:
        return ""
    usual = [other for other in DELIMITERS if other in fields[0]]
    unusual = [other for other in _UNUSUAL if fields[0].count(other) >= len(ROLES) - 1]
    return max(usual or unusual, key=fields[0].count, default="")


def _require_delimiter(file: SourceFile, delimiter: str, fields: Sequence[str]) -> None:
    seen = other_delimiter(fields)
    if not seen:
        return
    looked_for = _shown(delimiter) if file.source.delimiter else "one of " + ", ".join(map(_shown, DELIMITERS))
    raise ConfigError(
        f"{file.path}: the delimiter, {looked_for}, is not found in its first line, which has {_shown(seen)}: set "
        f"delimiter = {json.dumps(seen)} in [[source]] {file.source.name!r} of the configuration"
    )


def _require_header(file: SourceFile, fields: Sequence[str]) -> None:
    ts = next((place for place, field in enumerate(fields) if looks_like_one(field)), None)
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
