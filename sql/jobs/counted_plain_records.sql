-- Plain records that count, as jobs/stratified_records reads them and jobs/add_events takes them. Reads `plain`.
select
    line,
    plain_ts as ts,
    build,
    code,
    '' as reason,
    cast(null as varchar) as problem,
    cast(null as varchar) as stratum,
    client
from plain
where is_plain
