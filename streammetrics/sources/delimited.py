"""Detects how delimited text begins: lines before the header, the delimiter, the columns; and later headers."""

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
"""The reason of a reject that is a header begins with this; columns are read by that header from there on."""

# A first line for spreadsheets, such as sep=;
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


class Head(NamedTuple):
    """The beginning of a text: the fields of its first record or header, and the number of lines before it.

    `is_spaced`: there are blanks beside delimiters, which are no part of fields.
    """

    delimiter: str
    fields: list[str]
    lead: int
    is_spaced: bool


def sniff(file: SourceFile, snapshot: Snapshot) -> Head:
    """Detect the beginning of a text; the delimiter is the one with which most of the three columns are found."""
    lead, named = 0, ""
    with snapshot.open_text() as stream:
        # Blank lines, comments, and a line that names the delimiter.
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
    """Whether there is a blank before each delimiter of a line, or after each."""
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
    """The next physical line with its line end; a line that is too long is cut just above the limit. Empty at the end.

    A byte order mark before it, as in concatenated files, is left out.
    """
    line = rest = stream.readline(LONGEST_RECORD + 1)
    while len(rest) > LONGEST_RECORD and not rest.endswith(("\r", "\n")):
        rest = stream.readline(LONGEST_RECORD + 1)
    return line.removeprefix("\ufeff")


def columns(file: SourceFile, snapshot: Snapshot, head: Head, header_line: int | None) -> Columns:
    """The columns by the names in the header, or in a later header line (from 1), or by position.

    Raises:
        ConfigError: the delimiter is wrong, the header is data, or a column is missing; the message says what to set.
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
                f"by the delimiter {_shown(delimiter)}; correct columns or delimiter of [[source]] {file.source.name!r}"
            )
    # Empty fields after the last column are a habit of writers.
    width = max(place + 1 for place in (*found.values(), *(n for n, field in enumerate(names) if field)))
    return Columns(tuple(str(number + 1) for number in range(width)), **found)


def times(snapshot: Snapshot, columns: Columns, head: Head, skipped: int, most: int) -> Iterator[str]:
    """The times of the first records, of lines without quotes."""
    for row in rows(snapshot, head, len(columns.names), skipped, most):
        yield " ".join(row[place] for place in columns.times)


def rows(snapshot: Snapshot, head: Head, width: int, skipped: int, most: int) -> Iterator[list[str]]:
    """The fields of the first lines that have as many fields as there are columns."""
    with snapshot.open_text() as stream, long_fields():
        lines = islice(iter(lambda: read_line(stream), ""), skipped, skipped + most)
        for row in csv.reader(lines, delimiter=head.delimiter, skipinitialspace=head.is_spaced):
            if len(row) == width:
                yield row


def next_header(file: SourceFile, row: Sequence[str], line: int) -> tuple[Columns | None, str, str]:
    """The columns from this header on, the reason why it is no record, and the reason to reject later rows, if any."""
    found = places(file, row)
    lacking = missing(file, found)
    if lacking or len(set(found.values())) < len(found):
        what = f"{HEADER} without a column for {', '.join(lacking or ROLES)}"
        return None, what, f"stands after line {line}, which {what}"
    return Columns(tuple(row), **found), f"{HEADER}: columns are read by it from here on", ""


def other_delimiter(fields: Sequence[str]) -> str:
    """Another delimiter in a line that the configured one does not split; empty if it does, or there is none."""
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
