-- The errors of each code per bin; increases of other codes are compared with them.
-- Grain: one row per series of sequential and weighed bin with an error of the code.
-- Reads: bins
-- Feeds: others
select
    rule, pair_id, series, bin_second, exposure, candidate_errors as k, baseline_errors + candidate_errors as n
from bins where detector = 'sequential' and is_weighed
