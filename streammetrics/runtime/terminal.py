"""Values and names as text for a terminal, a mail, or a line of JSON."""

import json
from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import datetime
from decimal import Decimal

NO_NAME = '""'


def one_line(message: str) -> str:
    """A message in one line; its last lines may be settings to copy."""
    first, *settings = message.splitlines()
    return " ".join((first, "; ".join(settings))).rstrip()


def as_json(row: object) -> str:
    """A mapping or dataclass as one line of JSON; times as ISO text in UTC."""
    return json.dumps(row, default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    if is_dataclass(value):
        return vars(value)
    return float(value) if isinstance(value, Decimal) else str(value)


def moment(value: datetime) -> str:
    """A time of the store (naive UTC) for people."""
    return f"{value:%Y-%m-%d %H:%M:%S}"


def figure(value: float) -> str:
    """A number with few digits."""
    return f"{value:.6g}"


def power(log10: float, digits: int = 3) -> str:
    """A power of ten, with a plain decimal exponent."""
    return f"10^{log10:.{digits}g}" if abs(log10) < 999.5 else f"10^{log10:,.0f}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number and its noun, such as `3 records`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def printable(text: str, can_show: Callable[[str], bool] = str.isprintable) -> str:
    """Names come from clients: control characters, and others that are not printable, are shown as escapes."""
    return "".join(c if can_show(c) else c.encode("unicode_escape").decode() for c in text)


def named(text: str) -> str:
    """A build or code for people; an empty code is `""`."""
    return printable(text) or NO_NAME


def printable_lines(text: str) -> str:
    """Text of several lines, with unprintable characters as escapes."""
    return "\n".join(printable(line) for line in text.splitlines())
