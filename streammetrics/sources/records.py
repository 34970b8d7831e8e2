"""Rows as records, one by one: what databases give, and what makes a text unreadable."""

import re
from typing import NamedTuple

from streammetrics.sources.reader import KEPT_OF_REJECTS

_SURROGATE = re.compile("[\ud800-\udfff]")


class Record(NamedTuple):
    """One record, texts as they came. `line` is its number, from 1; `reason` is empty where it is readable."""

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


def text_problem(text: str) -> str:
    """Why a text cannot be stored; empty where it can."""
    if "\0" in text:
        return "holds a NUL character"
    return "is not valid UTF-8" if not text.isascii() and _SURROGATE.search(text) else ""


def _shown(content: str) -> str:
    shown = content[:KEPT_OF_REJECTS].replace("\0", "\\x00")
    return shown.encode("utf-8", "backslashreplace").decode()
