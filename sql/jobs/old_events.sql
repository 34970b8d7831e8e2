-- Records from before $before, batch by batch: when the first was, and how many.
select min(ts) as moment, batch_id, count(*) as records
from events
where ts < $before
group by batch_id
