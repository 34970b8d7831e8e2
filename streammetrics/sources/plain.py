"""Converts text to the form that DuckDB reads line by line: UTF-8, LF, no NUL, no byte order mark, one record per line.

Most files have this form. Others are converted here, and lines keep their numbers. What plain text cannot express is
appended to a line after a NUL, as its mark: two characters that replace LF and CR within the record (blanks if there
are none), then the reason why the record cannot be read, if there is one. A blank line becomes a NUL.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

LONGEST_RECORD = 1_000_000
"""Characters. A longer record is rejected, so that memory does not depend on the content of a file."""

_LONGEST_BYTES = 4 * LONGEST_RECORD

MARKED_LINE = b"\n" + codecs.BOM_UTF8
"""A byte order mark, which may begin any line of concatenated files."""

# DuckDB skips empty lines.
_BLANK_LINES = re.compile(rb"^\n", re.MULTILINE)
_ODD_QUOTES = re.compile(rb'^[^"\n]*"(?:[^"\n]*"[^"\n]*")*[^"\n]*$', re.MULTILINE)
OPEN_QUOTE = "a quoted field does not end where it should"
_STAND_INS = tuple(bytes([code]) for code in (*range(0x1C, 0x20), *range(0x01, 0x09), *range(0x0E, 0x1C)))
_REPLACED = "\ufffd".encode()

# Marks a converted line end, until it is known whether it is within quotes.
_CRLF, _CR = b"\x1c", b"\x1d"


def plain(portions: Iterable[bytes], codec: str, delimiter: str | None, skipped: int = 0) -> Iterator[bytes]:
    """The complete lines of a text, in portions.

    Args:
        portions: all bytes.
        delimiter: of fields that may be quoted; None if there are no quotes.
        skipped: how many lines at the beginning are left out.
    """
    decoder = None if codec == "utf-8" else codecs.getincrementaldecoder(codec)("replace")
    rest, half, has_marks = b"", b"", delimiter is not None
    for portion in chain(portions, (None,)):
        text = (portion or b"") if decoder is None else decoder.decode(portion or b"", portion is None).encode()
        if has_marks and (_CRLF in text or _CR in text):
            # They are content: from here on line ends within quotes are LF.
            rest, has_marks = _ended(rest), False
        text = half + text
        half = b"\r" if portion is not None and text.endswith(b"\r") else b""
        if b"\r" in text:
            # Within quotes, line ends are kept.
            pair, lone = (_CRLF, _CR) if has_marks else (b"", b"")
            text = text[: len(text) - len(half)].replace(b"\r\n", pair + b"\n").replace(b"\r", lone + b"\n")
        text = rest + text
        stop = text.rfind(b"\n") + 1 if portion is not None else len(text)
        # A line that is too long is cut just above the limit.
        text, rest = text[:stop], text[stop:][: _LONGEST_BYTES + 4]
        while skipped and text:
            text, skipped = text[(text.find(b"\n") + 1) or len(text) :], skipped - 1
        text = text.removeprefix(codecs.BOM_UTF8).replace(MARKED_LINE, b"\n")
        if delimiter is not None and b'"' in text:
            whole, opened = _without_quoted_ends(
                text, delimiter, has_marks=has_marks, is_utf16=decoder is not None, is_over=portion is None
            )
            text, rest = whole, opened + rest
        else:
            text = _marked_lines(_ended(text) if has_marks else text, is_utf16=decoder is not None)
        text = text if not text or text.endswith(b"\n") else text + b"\n"
        yield _BLANK_LINES.sub(b"\0\n", text) if b"\n\n" in text or text.startswith(b"\n") else text


def quoted_spans(text: bytes, delimiter: str) -> Iterator[tuple[int, int, bool | None]]:
    """Find records of several lines, and misplaced quotes, in lines with an odd number of quotes.

    Yields:
        Start, end, and a flag: True for a record of several lines, False for a line with a misplaced quote, None for
        everything after a quote that is still open at the end.
    """
    done = 0
    for found in _ODD_QUOTES.finditer(text):
        if found.start() >= done:
            done, kind = _record_end(text, found.start(), delimiter)
            if kind is not True or done > found.end() + 1:
                yield found.start(), done, kind
            if kind is None:
                done = found.end()


def _record_end(text: bytes, start: int, delimiter: str) -> tuple[int, bool | None]:
    place, is_over = start, False

    def lines() -> Iterator[str]:
        nonlocal place, is_over
        while place < len(text) and place - start <= _LONGEST_BYTES:
            end = text.find(b"\n", place) + 1 or len(text)
            yield _restored(text[place:end]).decode("utf-8", "surrogateescape").replace("\0", " ")
            place = end
        is_over = place >= len(text)

    with long_fields():
        try:
            next(csv.reader(lines(), delimiter=delimiter, strict=True))
        except csv.Error:
            if is_over:
                return len(text), None
            return text.find(b"\n", start) + 1 or len(text), False
    return text.find(b"\n", place) + 1 or len(text), True


def _without_quoted_ends(
    text: bytes, delimiter: str, *, has_marks: bool, is_utf16: bool, is_over: bool
) -> tuple[bytes, bytes]:
    """The text with one record per line, and the rest from a quote on that is still open."""
    ended, restored = (_ended, _restored) if has_marks else (bytes, bytes)
    parts: list[bytes] = []
    done = 0
    for start, stop, kind in quoted_spans(text, delimiter):
        if start < done:
            continue
        if kind is None and not is_over and stop - start <= _LONGEST_BYTES:
            return b"".join((*parts, _marked_lines(ended(text[done:start]), is_utf16=is_utf16))), text[start:]
        if kind is None:
            stop = text.find(b"\n", start) + 1 or stop
        parts += [_marked_lines(ended(text[done:start]), is_utf16=is_utf16)]
        record = text[start:stop].rstrip(b"\n")
        ends = b"\n" * (record.count(b"\n") + 1)
        shown = restored(record.removesuffix(_CRLF).removesuffix(_CR) if has_marks else record)
        parts += [_marked(shown, is_utf16, "" if kind else OPEN_QUOTE), ends]
        done = stop
    return b"".join((*parts, _marked_lines(ended(text[done:]), is_utf16=is_utf16))), b""


def _ended(text: bytes) -> bytes:
    """The text with all line ends as LF."""
    return text.replace(_CRLF + b"\n", b"\n").replace(_CR + b"\n", b"\n")


def _restored(text: bytes) -> bytes:
    """The text with its original line ends."""
    return text.replace(_CRLF + b"\n", b"\r\n").replace(_CR + b"\n", b"\r")


def _marked_lines(text: bytes, *, is_utf16: bool) -> bytes:
    if b"\0" not in text and not (is_utf16 and _REPLACED in text) and len(text) <= _LONGEST_BYTES and is_utf8(text):
        return text
    return b"\n".join(_marked(line, is_utf16) for line in text.split(b"\n"))


def _marked(record: bytes, is_utf16: bool, reason: str = "") -> bytes:
    """A record in one line, with its mark if it needs one."""
    record = record[: _LONGEST_BYTES + 4]
    has_ends = b"\n" in record or b"\r" in record
    free = [sign for sign in _STAND_INS if sign not in record] if has_ends else []
    feed, carriage = free[:2] if len(free) > 1 else (b" ", b" ")
    if has_ends and len(free) <= 1:
        reason = "holds all control characters"
    shown = record.decode("utf-8", "surrogateescape" if len(record) <= _LONGEST_BYTES else "ignore")
    if is_utf16 and _REPLACED in record:
        reason = "is not valid UTF-16"
    if not is_utf8(shown):
        reason = "is not valid UTF-8"
    if "\0" in shown:
        reason, shown = "holds a NUL character", shown.replace("\0", "\\x00")
    if not reason and not has_ends:
        return shown.encode()
    line = shown.encode("utf-8", "backslashreplace").replace(b"\n", feed).replace(b"\r", carriage)
    return line + b"\0" + feed + carriage + reason.encode()


def is_utf8(text: bytes | str) -> bool:
    """Whether a text can be stored."""
    try:
        return text.isascii() or bool(text.encode() if isinstance(text, str) else text.decode()) or True
    except UnicodeError:
        return False


@contextmanager
def long_fields() -> Iterator[None]:
    """Allow csv fields as long as a record may be; the limit applies to the whole process."""
    before = csv.field_size_limit(_LONGEST_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)
