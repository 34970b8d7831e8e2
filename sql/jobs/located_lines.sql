-- Lines of several files that are read alike, each with its number in its file, and above 32 bits the file's place.
-- Reads `joined`: the lines of all. An ASOF join takes ten times as long.
-- Parameters, lists of the same length: $first_lines and $last_lines of files; $added, what is to be added to their
-- numbers.
with sections as (
    select unnest($first_lines) as first_line, unnest($last_lines) as last_line, unnest($added) as added
),

places as (
    select unnest(range(first_line, last_line + 1)) as line, added
    from sections
)

select joined.line + places.added as line, joined.text, joined.mark
from joined
inner join places on joined.line = places.line
