-- The figures of sequential for each series in the explained bin: its columns are fields of the explanation. Evidence
-- is unchanged until the next bin with errors; no bin is later than the explained one, so each series has one.
with limits as (select distinct rule, min_bins from hypotheses),

grid as (
    select series, bool_or(nats >= threshold) as is_enough, any_value(ended_second) is not null as has_ended
    from evidence
    inner join ends using (series, bin_second)
    group by series
)

select
    found.series, found.value, found.threshold, found.doubt, found.rate_ratio, limits.min_bins, since.spread_bins,
    since.missed_errors, since.window_bins, since.start_second as onset, since.baseline_errors, since.candidate_errors,
    since.ratio, since.exposure, since.candidate_share, since.tested_share, since.dispersion as mean_dispersion,
    -- Ten times: less does not help the reader.
    found.doubt > 2.302585 as is_doubted, grid.has_ended,
    case when not found.is_enough then power(10, found.threshold - found.value) end as short_by,
    case
        when not found.is_enough then if(grid.is_enough and grid.has_ended, 'recovery', 'evidence')
        when found.is_brief then 'brief'
        when found.is_traffic then 'traffic'
        when found.is_silent then 'silence'
    end as gate
from regressions as found
left join regressions as since on found.series = since.series and since.value > 0
inner join limits on found.rule = limits.rule
inner join grid on found.series = grid.series
