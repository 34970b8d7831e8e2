-- New alerts in order of time, numbered by `place`: ids follow that order, which several threads would not keep.
select
    found.*, series.series, -- noqa: AM04
    row_number() over (order by found.stop_ts, series.series, found.window_bins) as place
from found inner join series using (rule, baseline, candidate, code)
