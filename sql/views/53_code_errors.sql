-- The errors of each code, bin by bin: what increases of other codes are held against.
-- Grain: one row per series of sequential and weighed bin with an error of the code.
-- Reads: bins
-- Feeds: others
select
    rule, pair_id, series, bin_second, exposure, candidate_errors as k, baseline_errors + candidate_errors as n
from bins where detector = 'sequential' and is_weighed
