-- Records with their stratum before their builds, if they have one: the source's, or that of a column; and of their
-- codes what its pattern keeps. An empty build stays empty, and is rejected. Reads `records`.
-- Parameters: $before_build, $code_pattern (with one group; NULL: codes stay as they are).
select
    * exclude (stratum) replace (  -- noqa: AM04
        case
            when $before_build = '' and stratum is null then build
            when build <> '' then $before_build || if(stratum <> '', stratum || '/', '') || build
        end as build,
        case
            when cast($code_pattern as varchar) is null then code
            else coalesce(nullif(regexp_extract(code, $code_pattern, 1), ''), code)
        end as code
    )
from records
