-- The stored alerts of a scope: those that end in ($after, $until] and in the scope of their pair.
create or replace temp table stored as
select a.*, slot_of(a.detector, a.window_bins) as slot -- noqa: AM04
from alerts as a
inner join portion_scopes as scopes using (rule, baseline, candidate)
where
    a.end_ts > $after and a.end_ts <= $until
    and epoch(a.end_ts) > scopes.judged_after and epoch(a.end_ts) <= scopes.judged_until
