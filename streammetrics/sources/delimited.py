"""How CSV and its kin begin: lines before the header, the delimiter, and the columns; and headers further down."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TextIO

from streammetrics.sources import first_lines
from streammetrics.sources.columns import ROLES, Columns, fitting, missing, places
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.encoding import FileBytes
from streammetrics.sources.first_lines import DELIMITERS
from streammetrics.sources.plain import LONGEST_RECORD, OPEN_QUOTE, long_fields

HEADER = "is a header"
"""So begins the reason of a reject that is one, and by which the columns are read from there on."""

# For spreadsheets: a first line such as sep=;
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


class Head(NamedTuple):
    """How a text begins: the fields of its first record or header, and the number of lines before that.

    `is_spaced`: a blank follows each delimiter.
    """

    delimiter: str
    fields: list[str]
    lead: int
    is_spaced: bool


def sniff(file: SourceFile, file_bytes: FileBytes) -> Head:
    """The delimiter is the one with which most of the three columns are found."""
    lead, named = 0, ""
    with file_bytes.open_text() as stream:
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
        is_spaced = candidate != " " and text.count(f"{candidate} ") == text.count(candidate) > 0
        heads.append(Head(candidate, fields(text, candidate, is_spaced=True), lead, is_spaced))
    return max(heads, key=lambda head: (fitting(file, head.fields), len(head.fields)))


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
    """The next physical line with its end; of one that is too long, as much as shows that. Empty at the end."""
    line = rest = stream.readline(LONGEST_RECORD + 1)
    while len(rest) > LONGEST_RECORD and not rest.endswith(("\r", "\n")):
        rest = stream.readline(LONGEST_RECORD + 1)
    return line


def columns(file: SourceFile, file_bytes: FileBytes, head: Head, header_line: int | None) -> Columns:
    """The columns, by the first header, or by that in a later line (from 1) which holds from there on.

    Raises:
        ConfigError: see `first_lines.columns`.
    """
    names: Sequence[str] = head.fields
    if header_line is not None:
        with file_bytes.open_text() as stream:
            line = next(islice(iter(lambda: read_line(stream), ""), header_line - 1, None), "")
        names = fields(line.strip("\r\n"), head.delimiter, is_spaced=head.is_spaced)
    return first_lines.columns(file, head.delimiter, names)


def times(file_bytes: FileBytes, columns: Columns, head: Head, skipped: int, most: int) -> Iterator[str]:
    """The times of the first records that can be split without care."""
    with file_bytes.open_text() as stream, long_fields():
        lines = islice(iter(lambda: read_line(stream), ""), skipped, skipped + most)
        for row in csv.reader(lines, delimiter=head.delimiter, skipinitialspace=head.is_spaced):
            if len(row) == len(columns.names):
                yield " ".join(row[place] for place in columns.times)


def next_header(file: SourceFile, row: Sequence[str], line: int) -> tuple[Columns | None, str, str]:
    """The columns from here on, why this row is no record, and why the rows after it are none."""
    found = places(file, row)
    lacking = missing(file, found)
    if lacking or len(set(found.values())) < len(found):
        what = f"{HEADER} without a column for {', '.join(lacking or ROLES)}"
        return None, what, f"stands after line {line}, which {what}"
    return Columns(tuple(row), **found), f"{HEADER}: columns are read by it from here on", ""
