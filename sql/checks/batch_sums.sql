-- Per batch the figures of the ledger and those of the tables, after checks/removed. Records and counters are
-- compared by sums of hashes, which do not depend on order: a counter of another second, build or code shows as well.
create or replace temp table batch_sums as
with recorded as (
    select
        batch_id, count(*) as events, min(ts) as min_ts, max(ts) as max_ts,
        sum(cast(hash(date_trunc('second', ts), build, code) as hugeint)) as digest
    from events
    group by batch_id
),

counted as (
    select
        batch_id, sum(errors) as errors, min(second) as min_second,
        sum(cast(hash(second, build, code) as hugeint) * errors) as digest
    from counters
    group by batch_id
),

quarantined as (select batch_id, count(*) as rejects from rejects group by batch_id)

select
    batch_id, batches.path, batches.records, batches.rejected, coalesce(recorded.events, 0) as events,
    coalesce(counted.errors, 0) as errors, coalesce(quarantined.rejects, 0) as rejects, recorded.min_ts,
    recorded.max_ts, counted.min_second, coalesce(removed.events, 0) as gone_events,
    coalesce(removed.counters, 0) as gone_counters, coalesce(removed.rejects, 0) as gone_rejects,
    case
        when coalesce(removed.events, 0) + coalesce(removed.counters, 0) = 0
            then coalesce(recorded.digest, 0) = coalesce(counted.digest, 0)
        else batches.records = coalesce(counted.errors, 0) + coalesce(removed.counters, 0)
    end as is_counted,
    coalesce(removed.events, 0) > 0
    or (
        batches.min_ts is not distinct from recorded.min_ts and batches.max_ts is not distinct from recorded.max_ts
    ) as is_timed
from batches
full join recorded using (batch_id)
full join counted using (batch_id)
full join quarantined using (batch_id)
left join removed using (batch_id)
