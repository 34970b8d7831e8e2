-- The $most incidents of the report page: open ones first, then those of the time range ($after, $until] (epoch), the
-- last opened first. `found` counts them all.
select
    incident_id, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, opened_ts, peak_value, threshold,
    baseline_errors, candidate_errors, ratio, ratio_low, ratio_high, state, exposure, candidate_share,
    count(*) over () as found
from incidents
where state = 'open' or (epoch(end_ts) > $after and epoch(start_ts) < $until)
order by state <> 'open', opened_ts desc, incident_id desc
limit $most
