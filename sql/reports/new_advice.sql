-- What of $texts was not so since $since, or $every one.
select current.text
from unnest($texts) as current (text)
where $every or current.text not in (select advice.text from advice where advice.seen_at >= $since)
