-- Lines with what is known of all of them, where a text is one section (sql/jobs/sections.sql). Reads `lines`.
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
