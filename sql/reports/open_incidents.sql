-- The $most strongest open incidents of each rule, and how many it has.
select
    rule, code, baseline, candidate, start_ts, ratio, ratio_low, ratio_high, exposure,
    count(*) over (partition by rule) as open
from incidents
where state = 'open'
qualify row_number() over (partition by rule order by peak_value desc, incident_id asc) <= $most
order by rule asc, peak_value desc, incident_id asc
