-- Blocks of $length seconds with records, as numbers since 1970.
select distinct cast(floor(epoch(second) / $length) as bigint) as block
from counters
