-- Rejects of one reason each that may be none if the text is read otherwise, in order. Reads `staged`.
-- Parameters: $reasons.
select line, problem, content
from staged
where problem in (select unnest($reasons))
order by line
