-- The epoch second after which incidents may change if all bins that end after $after are judged. Rules that never
-- judged reach back to the first waiting bin. A superseded comparison may continue within a day.
with reached as (
    select settled_until from progress
    where
        rule in (select rule from rules)
        and (not is_superseded or epoch(settled_until) > $after - 86400)
)

select least($after, cast(floor(epoch(min(reached.settled_until))) as bigint)) - max(settings.reopen_seconds)
from settings left join reached on true
