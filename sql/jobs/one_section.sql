-- Lines of a text that is one section (sql/jobs/sections.sql), with the section's columns. Reads `lines`.
select
    line,
    text,
    mark,
    $befores[1] as before,
    $places[1] as places,
    $widths[1] as width,
    $names[1] as names,
    $reasons[1] as section_reason
from lines
