-- Lines that need a closer look. Reads `plain`, see sql/jobs/plain_records.sql.
select line, text, mark
from plain
where is_plain is distinct from true
