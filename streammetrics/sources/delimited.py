"""CSV and its kin, read with Python's csv module: any line ends, any damage, line numbers for what is rejected."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple, TextIO

from streammetrics.sources.columns import ROLES, Columns, fitting, places
from streammetrics.sources.content import BYTE_ORDER_MARKS, Content, codec_of
from streammetrics.sources.files import SourceFile
from streammetrics.sources.first_lines import DELIMITERS
from streammetrics.sources.records import (
    LINE_MASK,
    LONGEST_RECORD,
    Record,
    accepted,
    open_text,
    read_line,
    rejected,
    text_problem,
)

HEADER = "is a header"
"""So begins the reason of a reject that is one, and by which the columns are read from there on."""

# For spreadsheets: a first line such as sep=;
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)

_OPEN_QUOTE = "a quoted field does not end where it should"


class _TooLongError(Exception):
    """A record goes on for longer than any record may."""


class _Lines:
    """Physical lines for csv.reader, to be given back where a quote left open would swallow the records after it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self._length = 0
        self.taken: list[str] = []
        self.count = 0
        self.is_over = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else read_line(self._stream)
        self.is_over = not line
        if not line:
            raise StopIteration
        self.taken.append(line)
        self.count += 1
        self._length += len(line)
        if self._length > LONGEST_RECORD:
            raise _TooLongError
        return line

    def skip(self) -> None:
        """The next line is none of a record."""
        read_line(self._stream)
        self.count += 1

    def begin(self) -> None:
        """The next line begins a record."""
        self.taken.clear()
        self._length = 0

    def give_back(self) -> None:
        """Only the first line of the record was one; the lines after it are read again."""
        rest = self.taken[1:]
        self._waiting.extendleft(reversed(rest))
        self.count -= len(rest)
        del self.taken[1:]


class Head(NamedTuple):
    """How a text begins: the fields of its first record or header, and the number of lines before that.

    `is_spaced`: a blank follows each delimiter.
    """

    delimiter: str
    fields: list[str]
    lead: int
    is_spaced: bool


def sniff(file: SourceFile, content: Content) -> Head:
    """The delimiter is the one with which most of the three columns are found."""
    with open_text(content) as stream:
        return _begin(file, stream)[0]


def _begin(file: SourceFile, stream: TextIO) -> tuple[Head, str, str]:
    """The head, the lines before it (blank ones, comments, one that names the delimiter), and its own line."""
    lead: list[str] = []
    named = ""
    while line := read_line(stream):
        text = line.strip("\r\n") if len(line) <= LONGEST_RECORD else ""
        head = _fit(file, text, file.source.delimiter or named, len(lead))
        is_comment = text.startswith("#") and fitting(file, head.fields) < len(ROLES)
        if found := _SEPARATOR.fullmatch(text):
            named = found[1]
        elif len(line) > LONGEST_RECORD or (text and not is_comment):
            return head, "".join(lead), line
        lead.append(line)
    return _fit(file, "", file.source.delimiter or named, len(lead)), "".join(lead), ""


def _fit(file: SourceFile, text: str, delimiter: str, lead: int) -> Head:
    tab_first = ("\t", *DELIMITERS) if file.format == "tsv" else DELIMITERS
    heads = []
    with _long_fields():
        for candidate in (delimiter,) if delimiter else tab_first:
            fields = next(csv.reader([text], delimiter=candidate, skipinitialspace=True), [])
            is_spaced = candidate != " " and text.count(f"{candidate} ") == text.count(candidate) > 0
            heads.append(Head(candidate, fields, lead, is_spaced))
    return max(heads, key=lambda head: (fitting(file, head.fields), len(head.fields)))


def header(file: SourceFile, content: Content, line: int | None) -> bytes:
    """What is to stand before a later part of the content: the lines before its first record, with a byte order mark.

    Args:
        line: of a later header that holds instead of the first one.
    """
    with open_text(content) as stream:
        _, text, own = _begin(file, stream)
    if line is not None:
        with open_text(content) as stream:
            own = next(islice(iter(lambda: read_line(stream), ""), line - 1, None))
    text += own if file.source.header else ""
    with content.open() as raw:
        beginning = raw.read(3)
    mark = next((mark for mark in BYTE_ORDER_MARKS if beginning.startswith(mark)), b"")
    return mark + text.encode(codec_of(beginning), "surrogateescape")


def open_length(stream: TextIO, delimiter: str) -> int:
    """How many characters at the end of a text are a record of which a quoted field is still open."""
    with _long_fields():
        lines = _Lines(stream)
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            lines.begin()
            try:
                next(rows)
            except StopIteration:
                return 0
            except (csv.Error, _TooLongError):
                # A quote in the wrong place is an error as well, but one that more text does not mend.
                if lines.is_over:
                    return sum(map(len, lines.taken))
                lines.give_back()


def read(file: SourceFile, content: Content, columns: Columns, head: Head) -> Iterator[Record]:
    """The records, after the header where there is one; blank lines are none."""
    broken = ""
    with open_text(content) as stream, _long_fields():
        lines = _Lines(stream)
        for _ in range(head.lead):
            lines.skip()
        rows = csv.reader(lines, delimiter=head.delimiter, strict=True, skipinitialspace=head.is_spaced)
        is_header = has_header = file.source.header
        while True:
            lines.begin()
            row, reason = _next_row(rows, lines)
            if row is None:
                return
            if not row and not reason:
                continue
            if is_header:
                is_header = False
                continue
            text = "".join(lines.taken)
            line = content.lines_before + lines.count - len(lines.taken) + 1
            reason = text_problem(text, content.encoding) or reason or broken
            if not reason and has_header and columns.may_be_header(row):
                columns, reason, broken = _next_header(file, columns, row, line)
            # Empty fields after the last column are a habit of writers, not fields.
            while len(row) > len(columns.names) and not row[-1]:
                row.pop()
            if not reason and len(row) != len(columns.names):
                reason = f"expected {len(columns.names)} fields, found {len(row)}"
            if reason:
                yield rejected(line, reason, text.rstrip("\r\n"))
            else:
                time = " ".join(row[place] for place in columns.times)
                yield accepted(line, time, row[columns.build], row[columns.code], text.rstrip("\r\n"))


def _next_header(file: SourceFile, columns: Columns, row: list[str], line: int) -> tuple[Columns, str, str]:
    """The columns from here on, why this row is no record, and why the rows after it are none."""
    found = places(file, row)
    missing = [role for role in ROLES if role not in found]
    if len(found) <= 1:
        return columns, "", ""
    if missing or len(set(found.values())) < len(found):
        what = f"{HEADER} without a column for {', '.join(missing or ROLES)}"
        return columns, what, f"stands after line {line & LINE_MASK}, which {what}"
    return Columns(tuple(row), **found), f"{HEADER}: columns are read by it from here on", ""


def _next_row(rows: Iterator[list[str]], lines: _Lines) -> tuple[list[str] | None, str]:
    """The next record's fields, None at the end, and why they could not be told."""
    try:
        return next(rows), ""
    except StopIteration:
        return None, ""
    except _TooLongError:
        # One long line, or a quote that stays open over many.
        reason = f"is longer than {LONGEST_RECORD:,} characters" if len(lines.taken) == 1 else _OPEN_QUOTE
    except csv.Error:
        reason = _OPEN_QUOTE
    lines.give_back()
    return [], reason


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let csv take fields as long as a record may be; the limit is the process's."""
    before = csv.field_size_limit(LONGEST_RECORD)
    try:
        yield
    finally:
        csv.field_size_limit(before)
