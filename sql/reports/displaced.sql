-- Blocks of ten minutes in which a pair had no place.
select pairs.baseline, pairs.candidate, places.block_second
from places
inner join pairs using (pair_id)
where not places.is_compared
