-- Extend the scope of a pair to its alerts without records. Reads `unfounded`.
update pass_scopes
set judged_after = least(judged_after, after_second), judged_until = greatest(judged_until, until_second)
from unfounded
where
    pass_scopes.rule = unfounded.rule and pass_scopes.baseline = unfounded.baseline
    and pass_scopes.candidate = unfounded.candidate
