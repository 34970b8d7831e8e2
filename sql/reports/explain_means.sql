-- The means of the windows of a series, the highest first.
select window_bins, value as mean
from explained_windows
inner join explained_series using (baseline, candidate)
where series = $series and stop_second = $second
order by value desc, window_bins asc
