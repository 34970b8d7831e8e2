-- Lines that cannot be plain records, by tests that cost little: none of them fails on a plain one. Reads `lines`.
-- Parameters: $delimiter, $width, $ts_place of fields, from 1; $latest, $oldest, $kept_from.
select line, text, mark
from lines
where
    len(string_split(text, $delimiter)) <> $width
    -- To take a field out of the list takes as long as all of this. By months: a cast takes days of one digit as well.
    or (
        $ts_place = 1
        and text not between strftime(greatest(cast($oldest as timestamp), cast($kept_from as timestamp)), '%Y-%m')
        and strftime(cast($latest as timestamp), '%Y-%m') || '~'
    )
