"""Portions of a pass: stretches with many records are split, those with few are joined, empty ones are skipped."""

from typing import NamedTuple

from sqlalchemy import Connection

from streammetrics.config import Config, SequentialRule
from streammetrics.store.statements import statement
from streammetrics.store.views import PORTION_SECONDS, Slice, compose, portions, timestamp_literal

LONGEST_PORTION_SECONDS = 24 * 3600
"""A portion costs this even with few records: it reads its lead-in again, and leaves half-filled row groups."""

_PORTION_CODES = 500
_PORTION_ROWS = 1_500_000
"""Counters that `sequential` can judge at once within 1 GB, lead-in included."""
_SHORTEST_PORTION_SECONDS = 900

SPARSE_COUNTERS, SPARSE_SECONDS = 1000, 30 * 24 * 3600
"""Up to this many counters are judged at once, over up to this time: a portion costs more than its few counters."""

SPARSE_CODE_SECONDS = 4 * 500 * 6 * 3600
"""And up to this many codes times seconds: a rule of means has a row for each code and bin."""


class Portion(NamedTuple):
    """Bins that end in (after, until], epoch seconds, and the number of counters there."""

    after: int
    until: int
    counters: int


def plan(
    connection: Connection, config: Config, lead: int, after: int, until: int, length: int | None = None
) -> list[Portion]:
    """The portions of (after, until], epoch seconds, each of which reads `lead` seconds before it as well.

    Args:
        length: how long (s) they are; None: as memory allows, and portions with few records are joined.
    """
    if length is not None:
        return cut(connection, length, lead, after, until)
    if until - after <= _SHORTEST_PORTION_SECONDS:
        return [Portion(after, until, 0)]
    cuts = cut(connection, longest_seconds(connection, config, lead, after, until), lead, after, until)
    return joined(cuts, count_codes(connection)) if len(cuts) > 1 else cuts


def longest_seconds(connection: Connection, config: Config, lead: int, after: int, until: int) -> int:
    """How long a portion of (after, until], epoch seconds, may be; each reads `lead` seconds before it as well.

    `sequential` reads bins with errors, rules of means read bins times codes, and clients may send any number of codes.
    """
    ends = timestamp_literal(after - lead), timestamp_literal(until)
    count = "select count(*) from counters where second >= {} and second < {}".format(*ends)  # noqa: S608 literals
    rows = int(connection.exec_driver_sql(count).scalar_one())
    # A portion shorter than its lead-in would cost more without being much smaller.
    bounded = max(lead, _PORTION_ROWS * (until - after + lead) // max(rows, 1) - lead)
    if not all(isinstance(rule, SequentialRule) for rule in config.rule):
        bounded = min(bounded, PORTION_SECONDS * _PORTION_CODES // max(count_codes(connection), 1))
    return max(_SHORTEST_PORTION_SECONDS, min(LONGEST_PORTION_SECONDS, bounded))


def count_codes(connection: Connection) -> int:
    """How many codes the store has."""
    return int(connection.exec_driver_sql("select count(distinct code) from codes").scalar_one())


def cut(connection: Connection, length: int, lead: int, after: int, until: int) -> list[Portion]:
    """Cut (after, until] at multiples of `length` (s), without parts more than `lead` (s) after the nearest record."""
    if until - after <= length:
        return [Portion(after, until, 0)]
    ends = {"since": after - lead, "until": until, "length": length}
    sql = compose(statement("jobs/find_blocks"), Slice(after, until, lead))
    counted: dict[int, int] = dict(tuple(row) for row in connection.exec_driver_sql(sql, ends))
    reach = -(-lead // length)
    blocks = {block + ahead for block in counted for ahead in range(reach + 1)}
    cuts = portions(after, until, length, blocks)
    return [Portion(*one, counted.get(one[0] // length, 0)) for one in cuts] or [Portion(after, until, 0)]


def halves(portion: Portion) -> list[Portion]:
    """The two halves of a portion that does not fit into memory; none if it is already as short as possible.

    Each half is estimated to hold all counters of the portion.
    """
    middle = (portion.after + portion.until) // 2
    if middle - portion.after < _SHORTEST_PORTION_SECONDS:
        return []
    return [Portion(portion.after, middle, portion.counters), Portion(middle, portion.until, portion.counters)]


def joined(portions: list[Portion], codes: int) -> list[Portion]:
    """Join portions with few records, and empty time between them; `codes` bounds their length."""
    found = portions[:1]
    for portion in portions[1:]:
        both = Portion(found[-1].after, portion.until, found[-1].counters + portion.counters)
        if _is_sparse(both, codes):
            found[-1] = both
        else:
            found.append(portion)
    return found


def _is_sparse(portion: Portion, codes: int) -> bool:
    seconds = portion.until - portion.after
    is_small = min(codes, portion.counters) * seconds <= SPARSE_CODE_SECONDS
    return is_small and portion.counters <= SPARSE_COUNTERS and seconds <= SPARSE_SECONDS
