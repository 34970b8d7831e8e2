"""The portions of a pass: what holds many records is cut, what holds few is joined, what is empty is left out."""

from typing import NamedTuple

from sqlalchemy import Connection

from streammetrics.statements import statement
from streammetrics.views import Slice, compose

SPARSE_COUNTERS = 20_000
"""So many counters of a longer time take no more memory than those of a busy day."""


class Portion(NamedTuple):
    """Bins that end in (after, until], epoch seconds, and how many counters lie there."""

    after: int
    until: int
    counters: int


def cut(connection: Connection, length: int, lead: int, after: int, until: int) -> list[Portion]:
    """Cut (after, until] at multiples of `length` (s), without what lies further than `lead` (s) behind all records."""
    if until - after <= length:
        return [Portion(after, until, 0)]
    ends = {"since": after - lead, "until": until, "length": length}
    sql = compose(statement("jobs/find_blocks"), Slice(after, until, lead))
    counted: dict[int, int] = dict(tuple(row) for row in connection.exec_driver_sql(sql, ends))
    reach = -(-lead // length)
    blocks = sorted({block + ahead for block in counted for ahead in range(reach + 1)})
    cuts = [Portion(max(after, n * length), min(until, (n + 1) * length), counted.get(n, 0)) for n in blocks]
    return [one for one in cuts if one.after < one.until] or [Portion(after, until, 0)]


def joined(portions: list[Portion], longest: int) -> list[Portion]:
    """Portions of few records as one of up to `longest` (s), with what is empty between them."""
    found = portions[:1]
    for portion in portions[1:]:
        counters = found[-1].counters + portion.counters
        if counters <= SPARSE_COUNTERS and portion.until - found[-1].after <= longest:
            found[-1] = Portion(found[-1].after, portion.until, counters)
        else:
            found.append(portion)
    return found
