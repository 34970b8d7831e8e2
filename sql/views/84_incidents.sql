-- Alerts of one rule, comparison and code that belong together, with the figures of their peak.
-- Grain: one row per incident.
-- Reads: incident_spans, alerts, codes, rules, progress, settings
-- Feeds: people
with
-- What was judged with earlier settings counts until it is judged again; a removed rule judges nothing.
judged as (select * from progress where rule in (select rules.rule from rules))

-- A bin, or a window of means, may begin before the code's first record.
select
    i.incident_id, i.rule, i.detector, i.baseline, i.candidate, i.code,
    greatest(i.start_ts, codes.first_second) as start_ts, i.stop_ts, i.alerts, peaks.value as peak_value,
    peaks.threshold, peaks.baseline_errors, peaks.candidate_errors, peaks.ratio, peaks.ratio_low, peaks.ratio_high,
    case
        when epoch(p.settled_until) >= epoch(i.end_ts) + settings.merge_seconds then 'resolved'
        when p.is_superseded then 'superseded'
        when p.settled_until is null then 'resolved'
        else 'open'
    end as state,
    i.end_ts, peaks.exposure, peaks.candidate_share, peaks.dispersion, i.opened_ts
from incident_spans as i
inner join alerts as peaks on i.peak_alert_id = peaks.alert_id
cross join settings
left join codes on i.candidate = codes.build and i.code = codes.code
left join judged as p on i.rule = p.rule and i.baseline = p.baseline and i.candidate = p.candidate
