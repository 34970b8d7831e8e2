-- Open incidents, and resolved ones that another alert would reopen, in order of their start.
select i.* -- noqa: AM04
from incidents as i
inner join progress as p on i.rule = p.rule and i.baseline = p.baseline and i.candidate = p.candidate
cross join settings
where
    i.state = 'open'
    or (i.state = 'resolved' and epoch(i.end_ts) + settings.reopen_seconds >= epoch(p.settled_until))
order by i.start_ts, i.incident_id
