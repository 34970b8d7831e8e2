-- Records with their stratum (of the source or of a column) before the build, and codes shortened by the pattern. An
-- empty build stays empty and is rejected. A stratum with a digit is rejected too: the build's family would end there.
-- Reads `records`.
-- Parameters: $before_build, $code_pattern (with one group; NULL: codes stay as they are).
select
    * exclude (stratum) replace (  -- noqa: AM04
        case
            when reason <> '' or stratum is null or stratum = '' then reason
            when not regexp_full_match(stratum, '\p{L}+([-_ .]\p{L}+)*')
                then format('stratum is no word of letters: ''{}''', left(stratum, 60))
            else reason
        end as reason,
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
