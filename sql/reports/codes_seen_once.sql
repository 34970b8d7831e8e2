-- How many codes were sent in the six hours before $latest (epoch second), and how many of them once.
select count(*) as codes, count(*) filter (where errors = 1) as seen_once
from (
    select code, sum(errors) as errors from counters
    where
        second > make_timestamp(($latest::bigint - 21600) * 1000000)
        and second <= make_timestamp($latest::bigint * 1000000)
    group by code
) as found
