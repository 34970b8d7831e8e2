"""What texts are times: one meaning for every reader, in sql/jobs/typed_records.sql."""

import re
from collections.abc import Iterable, Mapping

from streammetrics.store.statements import statement

_PLAIN = r"[1-9]\d{3}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z?"

_IS_PLAIN, _DIGIT = re.compile(_PLAIN, re.ASCII), re.compile("[0-9]")

# A bare cast drops an offset, but takes no other text of one of these shapes for a time than `typed` does. It costs
# nothing to compare shapes; with a fraction there is room for an offset, and only an expression decides.
_SHAPES = tuple(f"____-__-__{t}__:__:__{zone}" for t in "T " for zone in ("", "Z"))

_TIME_OF_DAY = re.compile(r"\s*\d{1,2}:\d{2}:\d{2}([.,]\d+)?\s*", re.ASCII)


def plain_guard(sample: Iterable[str], like: Mapping[str, str | None] | None = None) -> Mapping[str, str | None] | None:
    """What times are like which a bare cast to TIMESTAMP reads right, and these are such: a pattern of LIKE, or a
    regular expression, as parameters of sql/jobs/plain_records.sql.

    `like` is that of others, which is kept where these fit into it: what differs is not read together.
    None where there is none, as not all are ISO 8601 in UTC (or without a zone: the caller knows that UTC is meant).
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
    """Whether the text is a time in any form that people write."""
    return _MAYBE.fullmatch(text) is not None


_NO_FOLDS = "select 0 as line, timestamp '1970-01-01' as ts where false"


def typed(*, has_order: bool = False) -> dict[str, str]:
    """Common table expressions by name that make `typed` of `records`; sql/jobs/typed_records.sql says how.

    `has_order`: `line` gives the order in which the records were written.
    """
    folds = statement("jobs/folds") if has_order else _NO_FOLDS
    return {"times": statement("jobs/times"), "folds": folds, "typed": statement("jobs/typed_records")}
