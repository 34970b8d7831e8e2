-- Of the pairs of a portion nothing stays that is remembered of its blocks, [$from_block, $until] in epoch seconds, or
-- that was estimated by other settings; nor of any pair what is older than $oldest_block.
delete from remembered_estimates as remembered
where
    epoch(block_ts) < $oldest_block
    or exists (
        select 1 from portion_scopes inner join pass_scopes as scopes using (rule, baseline, candidate)
        where
            scopes.rule = remembered.rule and scopes.baseline = remembered.baseline
            and scopes.candidate = remembered.candidate and (
                scopes.settings_hash <> remembered.settings_hash
                or epoch(remembered.block_ts) between $from_block and $until
            )
    )
