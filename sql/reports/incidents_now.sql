-- Incidents with the figures of their changes: how often they have doubled, and their latest alert.
with seen as (
    select
        incident_id, max(ratio) as highest_ratio, arg_min(ratio, (stop_ts, alert_id)) as first_ratio,
        arg_max(
            struct_pack(
                start_ts := start_ts, peak_value := value, threshold := threshold, baseline_errors := baseline_errors,
                candidate_errors := candidate_errors, ratio := ratio, ratio_low := ratio_low, ratio_high := ratio_high,
                exposure := exposure, candidate_share := candidate_share
            ), (stop_ts, value, -alert_id)
        ) as again
    from alerts
    where state = 'current'
    group by incident_id
)

select
    incident_id, rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, alerts, peak_value, threshold,
    baseline_errors, candidate_errors, ratio, ratio_low, ratio_high, state, exposure, candidate_share, dispersion,
    opened_ts,
    case
        when exposure is not null then floor(log2(seen.highest_ratio / nullif(seen.first_ratio, 0)))
        when threshold > 0 and peak_value > 0 then floor(log2(peak_value / threshold))
    end as doublings, seen.again
from incidents left join seen using (incident_id)
