"""CSV and its kin, read with Python's csv module: any line ends, any damage, line numbers for what is rejected."""

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from streammetrics.sources.columns import Columns, fitting
from streammetrics.sources.content import BYTE_ORDER_MARKS, Content, codec_of
from streammetrics.sources.files import SourceFile
from streammetrics.sources.first_lines import DELIMITERS
from streammetrics.sources.records import LONGEST_RECORD, Record, accepted, open_text, read_line, rejected, text_problem

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


def sniff(file: SourceFile, content: Content) -> tuple[str, list[str]]:
    """The delimiter, and the fields of the first line: the delimiter with which most of the three columns are found."""
    with open_text(content) as stream:
        lines = _Lines(stream)
        try:
            header = next((line for line in lines if line.strip("\r\n")), "")
        except _TooLongError:
            header = ""
    tab_first = ("\t", *DELIMITERS) if file.format == "tsv" else DELIMITERS
    candidates = (file.source.delimiter,) if file.source.delimiter else tab_first
    with _long_fields():
        headers = [(delimiter, next(csv.reader([header], delimiter=delimiter), [])) for delimiter in candidates]
    return max(headers, key=lambda found: (fitting(file, found[1]), len(found[1])))


def header(content: Content) -> bytes:
    """The bytes up to the end of the first line that is not blank, with a byte order mark."""
    text = ""
    with open_text(content) as stream:
        while line := read_line(stream):
            text += line
            if line.strip("\r\n"):
                break
    with content.open() as raw:
        beginning = raw.read(3)
        mark = next((mark for mark in BYTE_ORDER_MARKS if beginning.startswith(mark)), b"")
        length = len(mark) + len(text.encode(codec_of(beginning), "surrogateescape"))
        return beginning[:length] + raw.read(max(0, length - len(beginning)))


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


def read(content: Content, columns: Columns, delimiter: str, *, has_header: bool) -> Iterator[Record]:
    """The records, after the header where there is one; blank lines are none."""
    width = len(columns.names)
    with open_text(content) as stream, _long_fields():
        lines = _Lines(stream)
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        is_header = has_header
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
            # Empty fields after the last column are a habit of writers, not fields.
            while len(row) > width and not row[-1]:
                row.pop()
            text = "".join(lines.taken)
            line = content.lines_before + lines.count - len(lines.taken) + 1
            reason = text_problem(text, content.encoding) or reason
            if not reason and len(row) != width:
                reason = f"expected {width} fields, found {len(row)}"
            if reason:
                yield rejected(line, reason, text.rstrip("\r\n"))
            else:
                yield accepted(
                    line,
                    " ".join(row[place] for place in columns.times),
                    row[columns.build],
                    row[columns.code],
                    text.rstrip("\r\n"),
                )


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
