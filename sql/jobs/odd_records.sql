-- Rejects with certain reasons, in order; they may be records if the text is read in another way. Reads `staged`.
-- Parameters: $reasons.
select line, problem, content
from staged
where problem in (select unnest($reasons))
order by line
