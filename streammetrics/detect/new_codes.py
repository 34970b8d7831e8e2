"""New codes of each comparison since the last pass: codes that only its candidate has sent, by the view `new_codes`.

How far the last pass had seen is in `progress`: its batches. A code counts from the batch with which it has come in two
different seconds: one client may send a burst of anything.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from streammetrics.detect.watermarks import COMPARED
from streammetrics.store.views import compose

MOST_CODES = 10
"""So many codes of a comparison are named, the most frequent ones; the rest is counted."""

_MARK = """
create or replace temp table seen_before as
select baseline, candidate, max(seen_batch_id) as batch_id from progress group by baseline, candidate
"""

# Of these alone there can be anything new: mostly there is no such comparison, and the rest costs nothing.
_ADVANCED = """
create or replace temp table seen_since as
select baseline, candidate, seen_before.batch_id as after_batch_id, max(seen_batch_id) as until_batch_id
from progress left join seen_before using (baseline, candidate)
group by baseline, candidate, seen_before.batch_id
having max(seen_batch_id) > coalesce(seen_before.batch_id, 0)
"""

# In a history of many builds only the comparison that goes on is of interest when all are judged for the first time.
_FOUND = """
select baseline, candidate, codes, code, first_ts, baseline_errors, candidate_errors, candidate_seconds
from (
    select
        new_codes.*, count(*) over (partition by baseline, candidate) as codes,
        row_number() over (partition by baseline, candidate order by candidate_errors desc, new_codes.code) as place
    from new_codes
    inner join seen_since using (baseline, candidate)
    inner join pairs using (baseline, candidate)
    inner join codes on new_codes.candidate = codes.build and new_codes.code = codes.code
    where
        repeat_batch_id > coalesce(after_batch_id, 0) and repeat_batch_id <= until_batch_id
        and (after_batch_id is not null or is_current)
)
where place <= $most
order by candidate, baseline, place
"""


@dataclass(frozen=True)
class NewCodes:
    """How many new codes a comparison has, and the most frequent of them as rows of the view, without the builds."""

    baseline: str
    candidate: str
    codes: int
    most_frequent: tuple[dict[str, Any], ...]


def mark(connection: Connection) -> None:
    """Keep how far passes have seen, for `since_mark` after the next one; in the caller's transaction."""
    connection.exec_driver_sql(_MARK)


def since_mark(connection: Connection) -> list[NewCodes]:
    """New codes of the batches that were first seen by the passes since `mark`; of a new comparison all of its codes.

    Nothing where no pass was stored: the next one will see these batches.
    """
    connection.exec_driver_sql(_ADVANCED)
    if not connection.exec_driver_sql("select count(*) from seen_since").scalar_one():
        return []
    found: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for row in map(dict, connection.exec_driver_sql(compose(_FOUND, **COMPARED), {"most": MOST_CODES}).mappings()):
        comparison = (row.pop("baseline"), row.pop("candidate"), row.pop("codes"))
        found.setdefault(comparison, []).append(row)
    return [NewCodes(*comparison, tuple(named)) for comparison, named in found.items()]
