-- Lines with the columns of their section: a file among several, or the lines after a header. Reads `lines`, which have
-- numbers.
-- Parameters, lists of the same length: $first_lines; $befores, added to a line's number for that in its file, with the
-- file's place above 32 bits; $places of time, clock, build, code, stratum and client, from 1; $widths, the number of
-- fields; $names of all columns, folded; $reasons why no line of a section can be read.
with sections as (
    select
        unnest($first_lines) as first_line,
        unnest($befores) as before,
        unnest($places) as places,
        unnest($widths) as width,
        unnest($names) as names,
        unnest($reasons) as section_reason
)

select
    lines.line,
    lines.text,
    lines.mark,
    sections.before,
    sections.places,
    sections.width,
    sections.names,
    sections.section_reason
from lines
asof inner join sections on lines.line >= sections.first_line
