-- Whether a comparison has ended that `progress` still has as current. Reads `pass_scopes`.
select count(*) > 0 from pass_scopes inner join progress using (rule, baseline, candidate)
where not is_current and not is_superseded
