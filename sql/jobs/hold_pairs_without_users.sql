-- While a file of [[exposure]] cannot be read, comparisons of builds without known users wait, for rules that need
-- users.
update pass_scopes
set
    judged_until = pass_scopes.judged_after,
    complete_until = least(pass_scopes.complete_until, pass_scopes.judged_after)
from compared_pairs
where
    pass_scopes.baseline = compared_pairs.baseline and pass_scopes.candidate = compared_pairs.candidate
    and compared_pairs.exposure = 'given'
    and pass_scopes.rule in (select rule from rules where detector = 'sequential')
    and not (
        compared_pairs.baseline in (select build from exposure)
        and compared_pairs.candidate in (select build from exposure)
    )
