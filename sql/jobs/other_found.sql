-- Rows that need a closer look. Reads `plain`, see sql/jobs/plain_records.sql.
select line, ts, clock, found_build as build, found_code as code, stratum, client
from plain
where is_plain is distinct from true
