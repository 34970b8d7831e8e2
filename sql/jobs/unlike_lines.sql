-- Lines that cannot be plain records, by cheap tests that never match a plain one. Reads `lines`.
-- Parameters: $delimiter, $width, $ts_place of fields, from 1; $latest, $oldest, $kept_from.
select line, text, mark
from lines
where
    len(string_split(text, $delimiter)) <> $width
    -- Extracting a field takes as long as all these tests. By months, because a cast also accepts days of one digit.
    or (
        $ts_place = 1
        and text not between strftime(greatest(cast($oldest as timestamp), cast($kept_from as timestamp)), '%Y-%m')
        and strftime(cast($latest as timestamp), '%Y-%m') || '~'
    )
