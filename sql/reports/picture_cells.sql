-- The bins of a rule's comparisons that end in ($after, $until], of $codes: as lists, because fetching a row per cell
-- would take longer than drawing. For sequential: the candidate's errors minus the expected ones. It has no rows for
-- bins without errors, where the value is 0: code is null in a row with all judged bins of a comparison.
select
    baseline, candidate, code, list(bin_second) as bin_seconds, list(
        coalesce(cast(value as double), candidate_errors - candidate_share * (baseline_errors + candidate_errors))
    ) as bin_values
from bins
where
    rule = $rule and active_seconds > 0 and is_judged
    and bin_second + bin_seconds > $after and bin_second + bin_seconds <= $until and code in (select unnest($codes))
group by baseline, candidate, code
union all
select baseline, candidate, null as code, list(bin_second) as bin_seconds, [] as bin_values
from judged_bins
where
    rule = $rule and active_seconds > 0 and is_judged
    and detector = 'sequential' and bin_second + bin_seconds > $after and bin_second + bin_seconds <= $until
group by baseline, candidate
