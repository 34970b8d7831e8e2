"""How a pass is cut into portions: what one reads is held in memory."""

from sqlalchemy import Connection

from streammetrics.config import Config, SequentialRule
from streammetrics.views import timestamp_literal

PORTION_SECONDS = 6 * 3600
"""Of 500 codes and rules of means: a week in one piece runs out of 1 GB; in portions it does not."""
LONGEST_PORTION_SECONDS = 24 * 3600
"""Of few records: each portion reads its lead-in again, and leaves half-filled row groups to merge."""

_PORTION_CODES = 500
_PORTION_ROWS = 1_500_000
"""Counters of `sequential`, lead-in included, that 1 GB holds."""
_SHORTEST_PORTION_SECONDS = 900

# The end of a bin belongs to what is before it.
_BLOCKS = """
select distinct cast(floor(epoch(second) / $length) as bigint) from counters
where second >= {since} and second < {until}
union
select cast(floor((epoch(end_ts) - 1) / $length) as bigint) from alerts
where end_ts > {since} and end_ts <= {until} and state = 'current'
"""


def longest_seconds(connection: Connection, config: Config, lead: int, after: int, until: int) -> int:
    """How long a portion of (after, until], epoch seconds, may be; each reads `lead` seconds before it as well.

    `sequential` reads bins with errors, rules of means read bins times codes; and clients may send any number of codes.
    """
    ends = timestamp_literal(after - lead), timestamp_literal(until)
    count = "select count(*) from counters where second >= {} and second < {}".format(*ends)  # noqa: S608 literals
    rows = int(connection.exec_driver_sql(count).scalar_one())
    # Shorter than its lead-in it would cost more without being much smaller.
    bounded = max(lead, _PORTION_ROWS * (until - after + lead) // max(rows, 1) - lead)
    if not all(isinstance(rule, SequentialRule) for rule in config.rule):
        codes = int(connection.exec_driver_sql("select count(distinct code) from codes").scalar_one())
        bounded = min(bounded, PORTION_SECONDS * _PORTION_CODES // max(codes, 1))
    return max(_SHORTEST_PORTION_SECONDS, min(LONGEST_PORTION_SECONDS, bounded))


def cut(connection: Connection, length: int, lead: int, after: int, until: int) -> list[tuple[int, int]]:
    """Cut (after, until] where it is long, and pass over what is empty: one bad clock can make it decades."""
    if until - after <= length:
        return [(after, until)]
    ends = {"since": timestamp_literal(after - lead), "until": timestamp_literal(until)}
    counted = connection.exec_driver_sql(_BLOCKS.format(**ends), {"length": length}).scalars()
    reach = -(-lead // length)
    blocks = sorted({block + ahead for block in counted for ahead in range(reach + 1)})
    cuts = [(max(after, block * length), min(until, (block + 1) * length)) for block in blocks]
    return [cut for cut in cuts if cut[0] < cut[1]] or [(after, until)]
