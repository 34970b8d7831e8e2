-- Records with `is_plain`: whether they count, and a bare cast reads their time right, so that `typed` need not decide.
-- Reads `candidates`, with `is_whole`: whether nothing is wrong with a record but its code and its time.
-- Parameters: $shape (what the times are like; NULL where that does not decide), $expression (of the times; NULL where
-- they are times already, or the shape decides), $longest_text, $latest, $oldest, $kept_from (NULL where all is kept).
with timed as (
    -- A cast that fails takes a hundred times as long.
    select
        *,
        case
            when
                ($shape is null or cast(ts as varchar) like $shape)
                and ($expression is null or regexp_full_match(cast(ts as varchar), $expression))
                then try_cast(ts as timestamp)
        end as plain_ts
    from candidates
)

select
    *,  -- noqa: AM04
    is_whole
    and strlen(code) <= $longest_text
    -- Named once: DuckDB would cast again for each time that it is named.
    and plain_ts between greatest(cast($oldest as timestamp), cast($kept_from as timestamp))
    and cast($latest as timestamp) as is_plain
from timed
