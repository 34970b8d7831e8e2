-- Records with the source's stratum before their builds; an empty build stays empty, and is rejected. Reads `records`.
-- Parameters: $before_build.
select
    line,
    reason,
    ts,
    case when build <> '' then $before_build || build end as build,
    code,
    content
from records
