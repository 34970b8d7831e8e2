-- Silent sources and failing jobs that were reported and have not ended.
select notice_key, arg_max(text, notice_id) as text, max(created_at) as since_ts
from notices where change in ('feed_silent', 'feed_back', 'job_failing', 'job_recovered')
group by notice_key having arg_max(change, notice_id) in ('feed_silent', 'job_failing')
order by notice_key
