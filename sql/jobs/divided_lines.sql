-- Lines with `is_plain`, kept until they are inserted; of those that need no closer look not the text. Reads `plain`.
select line, plain_ts, build, code, client, is_plain, mark, if(is_plain, null, text) as text
from plain
