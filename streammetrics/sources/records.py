"""Records as Python reads them, one by one: what every reader of text gives, and what makes a record unreadable."""

import csv
import re
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple, TextIO

from streammetrics.sources.content import Content

LONGEST_RECORD = 1_000_000
"""Characters. What is longer is rejected: the memory that a file takes must not depend on what is in it."""

LONGEST_TEXT = 1000
"""Characters of a build or a code. A record with a longer one is rejected: passes group and sort by these texts."""

KEPT_OF_REJECTS = 200
"""Characters of a rejected record that are stored."""

PLACE_BITS = 32
"""Where records of several files are read together, the file's place among them stands above these bits of `line`."""
LINE_MASK = (1 << PLACE_BITS) - 1

_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACED = "\ufffd"


class Record(NamedTuple):
    """One record, texts as they came. `line` is where it begins, from 1; `reason` is empty where it is readable."""

    line: int
    reason: str
    ts: str
    build: str
    code: str
    content: str


def rejected(line: int, reason: str, content: str) -> Record:
    """A record that cannot be read."""
    return Record(line, reason, "", "", "", _shown(content))


def accepted(line: int, ts: str, build: str, code: str, content: str) -> Record:
    """A record that can be read, unless SQL finds that its time is none."""
    return Record(line, "", ts, build, code, _shown(content))


def text_problem(text: str, encoding: str) -> str:
    """Why a text cannot be stored; empty where it can. Undecodable bytes show as what `open_text` makes of them."""
    if "\0" in text:
        return "holds a NUL character"
    if text.isascii():
        return ""
    if encoding == "utf-16":
        return "is not valid UTF-16" if _REPLACED in text else ""
    return "is not valid UTF-8" if _SURROGATE.search(text) else ""


def open_text(content: Content) -> TextIO:
    """The content as text, line ends as they are; bytes that cannot be decoded are left recognisable."""
    errors = "replace" if content.encoding == "utf-16" else "surrogateescape"
    return TextIOWrapper(content.open(), content.encoding, errors, newline="")


def read_line(stream: TextIO) -> str:
    """The next physical line with its end; of one that is too long, as much as shows that. Empty at the end."""
    line = rest = stream.readline(LONGEST_RECORD + 1)
    while len(rest) > LONGEST_RECORD and not rest.endswith(("\r", "\n")):
        rest = stream.readline(LONGEST_RECORD + 1)
    return line


def write_scratch(path: Path, records: Iterable[Record]) -> int:
    """Records as a CSV that DuckDB reads without a doubt, a column per field of `Record`; how many they are."""
    written = 0
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for record in records:
            writer.writerow(record)
            written += 1
    return written


def _shown(content: str) -> str:
    return content[:KEPT_OF_REJECTS].replace("\0", "\\x00")
