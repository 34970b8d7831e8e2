-- The evidence of each ratio of the grid for a series, the strongest first.
select rate_ratio, min_ratio, nats as log_likelihood, threshold as log_threshold
from explained_evidence
inner join hypotheses using (rule, rate_ratio)
where series = $series and next_second > $second
order by nats - threshold desc, rate_ratio
