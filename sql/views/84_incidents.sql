-- Alerts of one rule, comparison and code that hang together, told as one story with the figures of its peak.
-- Grain: one row per incident.
-- Reads: incident_spans, alerts, codes, rules, progress, settings
-- Feeds: people
with
rules as (select distinct rule from rules),

-- What was judged by earlier settings counts until it is judged anew; a rule that is gone judges no more.
settled as (
    select progress.rule, progress.baseline, progress.candidate, progress.settled_until, progress.is_superseded
    from progress
    inner join rules on progress.rule = rules.rule
)

select
    incident_spans.incident_id, incident_spans.rule, incident_spans.detector, incident_spans.baseline,
    incident_spans.candidate, incident_spans.code, greatest(incident_spans.start_ts, codes.first_second) as start_ts,
    incident_spans.stop_ts, incident_spans.alerts, peaks.value as peak_value, peaks.threshold,
    peaks.baseline_errors, peaks.candidate_errors,
    peaks.ratio, peaks.ratio_low, peaks.ratio_high,
    case
        when epoch(settled.settled_until) >= epoch(incident_spans.end_ts) + settings.merge_seconds then 'resolved'
        when settled.is_superseded then 'superseded'
        when settled.settled_until is null then 'resolved'
        else 'open'
    end as state,
    incident_spans.end_ts, peaks.exposure, peaks.candidate_share, peaks.dispersion, incident_spans.opened_ts
-- A bin, and all the more a window of a mean, may begin before the code's first record.
from incident_spans
left join codes on incident_spans.candidate = codes.build and incident_spans.code = codes.code
left join settled using (rule, baseline, candidate)
inner join alerts as peaks on incident_spans.peak_alert_id = peaks.alert_id
cross join settings
