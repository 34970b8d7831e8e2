"""Converts values of a database to text."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from streammetrics.sources import cursor_state
from streammetrics.sources.connections import Unreadable
from streammetrics.sources.plain import LONGEST_RECORD, is_utf8

Writers = Mapping[type, Callable[[Any], str]]
"""The conversion to text, by type."""


def _number(value: float | Decimal) -> str:
    return format(Decimal(repr(value)) if isinstance(value, float) else value, "f")


def _build(value: float | Decimal) -> str:
    """A whole number without a fraction; 5.10 stays, because it is another build than 5.1."""
    whole, _, fraction = _number(value).partition(".")
    return f"{whole}.{fraction}" if fraction.strip("0") else whole


def _code(value: float | Decimal) -> str:
    """404, 404.0 and 404.00 are one code."""
    whole, _, fraction = _number(value).partition(".")
    return f"{whole}.{fraction.rstrip('0')}" if fraction.strip("0") else whole


# By exact type: a bool is not a number here.
_TEXTS: Writers = {str: str, int: str, UUID: str}
_BUILDS: Writers = {**_TEXTS, float: _build, Decimal: _build}
_CODES: Writers = {**_TEXTS, float: _code, Decimal: _code}
_TIMES: Writers = {
    **_TEXTS,
    **{float: _number, Decimal: _number, datetime: cursor_state.as_text, date: str, time: str},
    Unreadable: str,
}
_STRATA: Writers = {**_BUILDS, type(None): lambda _: ""}
WRITERS = (_TIMES, _BUILDS, _CODES, _STRATA)
_CLIENTS: Writers = {**_CODES, bytes: bytes.hex, memoryview: memoryview.hex}


def texts_of(values: Sequence[Any], writers: Writers) -> Sequence[str]:
    """A column as text; None if one of its values cannot be converted."""
    kinds = set(map(type, values))
    if not kinds <= writers.keys():
        return ()
    if len(kinds) == 1:
        kind = kinds.pop()
        return values if kind is str else list(map(writers[kind], values))
    return [writers[type(value)](value) for value in values]


def client_of(value: Any) -> str:
    """The text of a client; empty if it is neither text, number nor bytes, because a client never rejects a record."""
    text = _CLIENTS[type(value)](value)[:LONGEST_RECORD] if type(value) in _CLIENTS else ""
    return "" if problem_of(text) else text


def problem_of(text: str) -> str:
    """Why a text cannot be stored; empty if it can."""
    if "\0" in text:
        return "holds a NUL character"
    return "" if is_utf8(text) else "is not valid UTF-8"
