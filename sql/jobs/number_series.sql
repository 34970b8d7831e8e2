-- A number for rule, comparison and code together, in their order: half a million alerts are sorted and grouped by it
-- in a fraction of the time that their texts take.
create or replace temp table series as
with pairs as (select distinct rule, baseline, candidate from portion_scopes),

known_codes as (select distinct code from codes)

select rule, baseline, candidate, code, row_number() over (order by rule, baseline, candidate, code) as series
from pairs cross join known_codes
