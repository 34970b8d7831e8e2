"""Rows as text: a table for people, CSV and JSON lines for programs.

CSV (RFC 4180) and JSON lines contain values exactly as they are. Only the table, for terminals, shows control
characters as escapes, because a build or code may be any text.
"""

import csv
import io
import json
import math
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, count, zip_longest
from typing import Any, Literal, TextIO

from streammetrics.runtime.terminal import printable

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)")
_NARROWEST = 8
"""Least width of a column of the table (or its own width, if less): narrower terminals cut the lines."""

Style = Literal["table", "csv", "jsonl"]


@dataclass(frozen=True)
class Result:
    """Rows in the order of the query. Times are text as DuckDB prints it (UTC); `types` are DuckDB's names."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def write(result: Result, style: Style, stream: TextIO) -> None:
    """Write a result to `stream`. On a terminal a table is cut to its width; CSV cells are never cut."""
    if style == "table":
        _write_table(result, stream)
        return
    if isinstance(stream, io.TextIOWrapper):
        # Data are UTF-8 whatever the locale is.
        stream.reconfigure(encoding="utf-8")
    (_write_csv if style == "csv" else _write_jsonl)(result, stream)


def _write_csv(result: Result, stream: TextIO) -> None:
    lines = csv.writer(stream)
    lines.writerow(result.columns)
    lines.writerows([None if value is None else _cell(value) for value in row] for row in result.rows)


def _write_jsonl(result: Result, stream: TextIO) -> None:
    names = _unique(result.columns)
    for row in result.rows:
        stream.write(json.dumps(dict(zip(names, map(_json, row), strict=True)), allow_nan=False) + "\n")


def _write_table(result: Result, stream: TextIO) -> None:
    from rich.cells import cell_len

    limit = shutil.get_terminal_size().columns if stream.isatty() else None
    is_number = [_NUMBER.fullmatch(name) is not None for name in result.types]
    heads = [printable(name) for name in result.columns]
    # A cell with several lines, such as a query plan, takes several lines of the table.
    cells = [[[printable(line) for line in _cell(value).split("\n")] for value in row] for row in result.rows]
    widths = [
        max([cell_len(head), *(cell_len(line) for row in cells for line in row[place])])
        for place, head in enumerate(heads)
    ]
    if limit is not None:
        widths = _fit(widths, is_number, limit)

    def put(parts: Sequence[str]) -> None:
        line = "  ".join(map(_sized, parts, widths, is_number)).rstrip()
        stream.write((line if limit is None else _clipped(line, limit)) + "\n")

    put(heads)
    put(["-" * width for width in widths])
    for row in cells:
        for parts in zip_longest(*row, fillvalue=""):
            put(parts)


def _fit(widths: Sequence[int], is_number: Sequence[bool], limit: int) -> list[int]:
    """Narrow the widest text columns; numbers are never cut, as they would be other numbers."""
    fitted = list(widths)
    for _ in range(sum(fitted) + 2 * (len(fitted) - 1) - limit):
        cuttable = [place for place, width in enumerate(fitted) if width > _NARROWEST and not is_number[place]]
        if not cuttable:
            break
        fitted[max(cuttable, key=fitted.__getitem__)] -= 1
    return fitted


def _sized(part: str, width: int, is_number: bool) -> str:
    from rich.cells import cell_len

    part = _clipped(part, width)
    padding = " " * (width - cell_len(part))
    return padding + part if is_number else part + padding


def _clipped(part: str, width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    return part if cell_len(part) <= width else set_cell_size(part, width - 1) + "…"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | tuple | dict):
        return json.dumps(_json(value), ensure_ascii=False)
    return str(value)


def _json(value: Any) -> Any:
    """A value for JSON: decimals as numbers, NaN and the infinities as null, other types as text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_json(part) for part in value]
    if isinstance(value, dict):
        return {str(name): _json(part) for name, part in value.items()}
    return str(value)


def _unique(columns: Sequence[str]) -> list[str]:
    """Names made different as DuckDB does in a subquery: the second `n` is `n_1`."""
    names: dict[str, None] = {}
    for column in columns:
        free = (name for name in chain([column], (f"{column}_{number}" for number in count(1))) if name not in names)
        names[next(free)] = None
    return list(names)
