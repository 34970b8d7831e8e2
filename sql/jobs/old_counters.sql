-- Errors counted before $before, batch by batch: when the first were, and how many.
select min(second) as moment, batch_id, cast(sum(errors) as bigint) as records
from counters
where second < $before
group by batch_id
