-- The scopes of each rule and pair, limited to the portion ($after, $until], epoch seconds.
create or replace temp table portion_scopes as
select
    rule, baseline, candidate, greatest(judged_after, $after) as judged_after,
    least(judged_until, $until) as judged_until
from pass_scopes
where judged_after < judged_until and judged_after < $until and judged_until > $after
