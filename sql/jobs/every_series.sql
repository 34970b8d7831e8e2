-- Replaces `suspects`: every series, from its first bin with errors to its last one.
select series, min(bin_second) as first_second, max(bin_second) as last_second
from gains
group by series
