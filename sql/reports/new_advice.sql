-- Those of $texts that were not reported since $since; with $every all of them.
select current.text
from unnest($texts) as current (text)
where $every or current.text not in (select advice.text from advice where advice.seen_at >= $since)
