"""Values of a cursor: the column of a database by which its rows are read in order."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from streammetrics.sources.records import text_problem

Cursor = int | float | Decimal | datetime | str


def kind_of(value: Any) -> str | None:
    """What a value of a cursor is; None where it cannot be one."""
    if type(value) is datetime:
        return "timestamp" if value.tzinfo is None else "timestamptz"
    if type(value) is str:
        return None if text_problem(value) else "text"
    if type(value) in (float, Decimal) and not math.isfinite(value):
        return None
    return {int: "integer", float: "float", Decimal: "decimal"}.get(type(value))


def order_of(value: Any) -> str | None:
    """Values that can be compared have the same order; None where a value cannot be one of a cursor."""
    kind = kind_of(value)
    return "number" if kind in ("integer", "float", "decimal") else kind


def first_out_of_order(values: Sequence[Any], order: str | None) -> int | None:
    """The place of the first value that cannot be compared with the others; None where all can."""
    if order == "number" and set(map(type, values)) == {int}:
        return None
    return next((place for place, value in enumerate(values) if order is None or order_of(value) != order), None)


def as_text(value: Cursor) -> str:
    """A value of a cursor as the store keeps it; times with an offset in UTC."""
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat(sep=" ")
    return repr(value) if isinstance(value, float) else str(value)


def parsed(kind: str, text: str) -> Cursor:
    """The value that `as_text` made a text of."""
    if kind in ("timestamp", "timestamptz"):
        return datetime.fromisoformat(text)
    parsers: dict[str, type[int | float | Decimal | str]] = {"integer": int, "float": float, "decimal": Decimal}
    return parsers.get(kind, str)(text)
