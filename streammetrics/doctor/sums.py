"""What the ledger says of each batch, beside what the tables hold of it.

Records and counters are compared by sums of hashes, which do not depend on order: a counter of another second, build or
code shows as well.
"""

from sqlalchemy import Connection

# What retention has removed is not missing.
_REMOVED = """
create or replace temp table removed as
select
    batch_id,
    coalesce(sum(records) filter (relation = 'events'), 0) as events,
    coalesce(sum(records) filter (relation = 'counters'), 0) as counters,
    coalesce(sum(records) filter (relation = 'rejects'), 0) as rejects
from pruned where relation <> 'alerts' group by batch_id
"""

_SUMS = """
create or replace temp table batch_sums as
with recorded as (
    select
        batch_id, count(*) as events, min(ts) as min_ts, max(ts) as max_ts,
        sum(hash(date_trunc('second', ts), build, code)::hugeint) as hashes
    from events group by batch_id
),
counted as (
    select
        batch_id, sum(errors) as errors, min(second) as min_second,
        sum(hash(second, build, code)::hugeint * errors) as hashes
    from counters group by batch_id
),
quarantined as (select batch_id, count(*) as rejects from rejects group by batch_id)
select
    batch_id, batches.path, batches.records, batches.rejected,
    coalesce(recorded.events, 0) as events, coalesce(counted.errors, 0) as errors,
    coalesce(quarantined.rejects, 0) as rejects,
    recorded.min_ts, recorded.max_ts, counted.min_second,
    coalesce(removed.events, 0) as gone_events, coalesce(removed.counters, 0) as gone_counters,
    coalesce(removed.rejects, 0) as gone_rejects,
    if(
        gone_events + gone_counters = 0,
        coalesce(recorded.hashes, 0) = coalesce(counted.hashes, 0),
        batches.records = coalesce(counted.errors, 0) + gone_counters
    ) as is_counted,
    gone_events > 0
    or (batches.min_ts, batches.max_ts) is not distinct from (recorded.min_ts, recorded.max_ts) as is_timed
from batches
full join recorded using (batch_id)
full join counted using (batch_id)
full join quarantined using (batch_id)
left join removed using (batch_id)
"""


def add_up(connection: Connection) -> None:
    """Make `batch_sums`: what the ledger says of each batch, and what the tables hold of it."""
    connection.exec_driver_sql(_REMOVED)
    connection.exec_driver_sql(_SUMS)
