-- The widest bin and the longest history of the rules of evidence.
select max(bin_seconds) as widest, max(bin_seconds * window_bins) as history_seconds
from rules
where detector = 'sequential'
