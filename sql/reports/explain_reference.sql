-- The figures of a reference rule for each series in the explained bin.
with judged as (select distinct baseline, candidate from fired)

select
    explained_series.series, best.value, best.threshold, null::double as doubt, null::double as rate_ratio,
    null::bigint as min_bins, null::double as spread_bins, null::double as missed_errors, best.window_bins,
    best.start_second as onset, best.baseline_errors, best.candidate_errors,
    round(best.candidate_errors / nullif(best.baseline_errors, 0), 6) as ratio, null::varchar as exposure,
    null::double as candidate_share, null::double as tested_share, null::double as mean_dispersion,
    false as is_doubted, false as has_ended, null::double as short_by,
    case when judged.baseline is null then 'threshold' end as gate
from (
    select *, row_number() over (partition by baseline, candidate order by value desc, window_bins asc) as place
    from windows
) as best
inner join explained_series using (baseline, candidate)
left join judged using (baseline, candidate)
where best.place = 1
