-- An hour of records in order of time. Of code n come 1 / (n + 1) as many errors as of code 0; two builds share them
-- evenly. $first_record counts through all hours: what is chance in one would be evidence in all if they were the same.
-- Parameters: $start (epoch microseconds), $first_record, $records, $codes.
select
    make_timestamp($start + (n.i - $first_record) * 3600000000 // $records) as ts,
    case when hash(n.i, 1) % 2 = 0 then '5.9' else '5.10' end as build,
    'E' || cast(floor(pow($codes, hash(n.i, 2) / 18446744073709551616.0)) as integer) as code
from range($first_record, $first_record + $records) as n (i)
