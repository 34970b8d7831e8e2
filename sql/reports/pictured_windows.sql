-- The stretches of a rule's comparisons that are alerted.
select
    spans.baseline, spans.candidate, spans.code, cast(epoch(spans.start_ts) as bigint) as start_second,
    cast(epoch(spans.end_ts) as bigint) as end_second, peaks.ratio
from incident_spans as spans
left join alerts as peaks on spans.peak_alert_id = peaks.alert_id
where spans.rule = $rule
order by spans.code, start_second
