-- The $most strongest open incidents of each rule, and how many it has.
select
    rule, code, baseline, candidate, start_ts, ratio, ratio_low, peak_value, count(*) over (partition by rule) as open,
    row_number() over (partition by rule order by peak_value desc, incident_id asc) as place
from incidents
where state = 'open'
qualify place <= $most
order by rule, place
