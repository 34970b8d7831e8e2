-- Lines of which only a closer look tells what they are. Reads `plain`, see sql/jobs/plain_records.sql.
select line, text, mark
from plain
where is_plain is distinct from true
