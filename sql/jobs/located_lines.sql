-- Lines of several files that are read alike, each with its number in its file, and above 32 bits the file's place.
-- Reads `joined`: the lines of all. An ASOF join takes ten times as long.
-- Parameters: $files, JSON (see jobs/add_batches): the first and last line of each, and what is to be added to numbers.
with sections as (
    select
        unnest(
            from_json_strict($files, '[{"first_line": "BIGINT", "last_line": "BIGINT", "added": "BIGINT"}]'),
            recursive := true
        )
),

places as (
    select unnest(range(first_line, last_line + 1)) as line, added
    from sections
)

select joined.line + places.added as line, joined.text, joined.mark
from joined
inner join places on joined.line = places.line
