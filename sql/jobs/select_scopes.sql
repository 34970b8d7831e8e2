-- Scopes limited to a span, as if no later records were known. Bins before the span, or before $floor because retention
-- removed the data that they need, stay as judged. A pair without records since is not judged.
select
    scopes.rule, scopes.settings_hash, scopes.baseline, scopes.candidate,
    case
        when scopes.complete_until <= $after then scopes.complete_until
        else greatest(scopes.judged_after, $after, $floor + coalesce(pairs.lag_seconds, 0))
    end as judged_after,
    case when scopes.complete_until <= $after then scopes.complete_until else least(scopes.judged_until, $until) end
        as judged_until,
    case when scopes.complete_until > $until then $until else scopes.complete_until end as complete_until,
    scopes.is_current, scopes.is_displaced
from scopes
left join pairs on scopes.baseline = pairs.baseline and scopes.candidate = pairs.candidate
