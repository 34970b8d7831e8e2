"""How texts are read as times: the same for every reader, by sql/jobs/times.sql and typed_records.sql."""

import re
from collections.abc import Iterable, Mapping

from streammetrics.store.statements import statement

_PLAIN = r"[1-9]\d{3}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z?"

_IS_PLAIN, _DIGIT = re.compile(_PLAIN, re.ASCII), re.compile("[0-9]")

# A plain cast drops an offset, but reads texts of these shapes like `typed`. Comparing shapes costs nothing. With a
# fraction, the shape may contain an offset, and only a regular expression decides.
_SHAPES = tuple(f"____-__-__{t}__:__:__{zone}" for t in "T " for zone in ("", "Z"))

_TIME_OF_DAY = re.compile(r"\s*\d{1,2}:\d{2}:\d{2}([.,]\d+)?\s*", re.ASCII)


def plain_guard(sample: Iterable[str], like: Mapping[str, str | None] | None = None) -> Mapping[str, str | None] | None:
    """A pattern of LIKE, or a regular expression, that matches the given times and only times that a plain cast to
    TIMESTAMP reads right; as parameters of sql/jobs/plain_records.sql.

    `like` is the pattern of other files; it is kept if it matches, because files with the same pattern are read
    together. None if not all times are ISO 8601 in UTC (or without a zone, if the caller knows that they are in UTC).
    """
    texts = set(sample)
    if not all(_IS_PLAIN.fullmatch(text) for text in texts):
        return None
    found = {_DIGIT.sub("_", text) for text in texts}
    shape = next(iter(found), _SHAPES[0])
    if len(found) <= 1 and shape in _SHAPES and (like is None or like["shape"] is not None):
        return {"shape": shape, "expression": None}
    return {"shape": None, "expression": _PLAIN}


def is_time_of_day(text: str) -> bool:
    """Whether the text is a time of day without a date."""
    return _TIME_OF_DAY.fullmatch(text) is not None


_MAYBE = re.compile(
    r"\s*\d{9,19}([.,]\d*)?\s*"  # seconds since 1970, or 20261123100000
    r"|.*(?<!\d)\d{1,2}:\d{2}(?!\d).*"
    r"|.*\b(\d{4}([-./])\d{1,2}\3\d{1,2}|\d{1,2}([-./])\d{1,2}\4\d{4})\b.*"
    r"|\s*\d([.,]\d+)[Ee]\+?\d{1,2}\s*|\s*[12]\d{7}[Tt ]\d{4}.*",
    re.ASCII | re.DOTALL,
)


def looks_like_one(text: str) -> bool:
    """Whether the text looks like a time in any form."""
    return _MAYBE.fullmatch(text) is not None


_NO_FOLDS = "select 0 as line, timestamp '1970-01-01' as ts where false"


def typed(*, has_order: bool = False) -> dict[str, str]:
    """Common table expressions by name that make `typed` of `records`; sql/jobs/typed_records.sql says how.

    `has_order`: records were written in the order of `line`.
    """
    folds = statement("jobs/folds") if has_order else _NO_FOLDS
    return {"times": statement("jobs/times"), "folds": folds, "typed": statement("jobs/typed_records")}
