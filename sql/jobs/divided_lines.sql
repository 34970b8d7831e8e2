-- Lines with `is_plain`, stored until they are inserted; plain ones without their text. Reads `plain`.
select line, plain_ts, build, code, client, is_plain, mark, if(is_plain, null, text) as text
from plain
