-- The stretches of a rule and comparison that are alerted.
select
    spans.code, cast(epoch(spans.start_ts) as bigint) as start_second,
    cast(epoch(spans.end_ts) as bigint) as end_second, peaks.ratio
from incident_spans as spans
left join alerts as peaks on spans.peak_alert_id = peaks.alert_id
where spans.rule = $rule and spans.baseline = $baseline and spans.candidate = $candidate
order by spans.code, start_second
