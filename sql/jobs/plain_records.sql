-- Records with `is_plain`: they are accepted, and a plain cast reads their time right, so that `typed` is not needed.
-- Reads `candidates`, with `is_whole`: whether everything but the code and the time was checked.
-- Parameters: $shape (a LIKE pattern of the times, or NULL), $expression (a regular expression of the times; NULL if
-- they are times already, or the shape decides), $longest_text, $latest, $oldest, $kept_from (NULL: all is kept).
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
    -- Named once, because DuckDB repeats the cast for each use.
    and plain_ts between greatest(cast($oldest as timestamp), cast($kept_from as timestamp))
    and cast($latest as timestamp) as is_plain
from timed
