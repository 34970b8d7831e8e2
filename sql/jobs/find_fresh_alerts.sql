-- The alerts that are stored for the first time, in the order of their time; a job puts these in place of `found`.
-- Identities follow that order: several threads would draw them from the sequence in any.
select
    found.*, series.series, -- noqa: AM04
    row_number() over (order by found.stop_ts, series.series, found.window_bins) as place
from found inner join series using (rule, baseline, candidate, code)
