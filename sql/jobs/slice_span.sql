-- `span` limited to a slice [$begin, $until) (epoch seconds), with presence from $presence_begin on.
select
    first_second, end_second, greatest(first_second, cast($presence_begin as bigint)) as presence_from_second,
    greatest(first_second, cast($begin as bigint)) as slice_from_second,
    least(end_second, cast($until as bigint)) as slice_until_second
from span
