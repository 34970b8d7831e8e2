-- Whether the exposure of each pair in a portion is remembered for all blocks from $from_block to before $next_block
-- (epoch seconds).
select coalesce(bool_and(blocks = ($next_block - $from_block) / 120), true)
from (
    select
        count(*) filter (
            where remembered.settings_hash = scopes.settings_hash
            and epoch(remembered.block_ts) >= $from_block and epoch(remembered.block_ts) < $next_block
        ) as blocks
    from portion_scopes
    inner join pass_scopes as scopes using (rule, baseline, candidate)
    inner join placed_pairs as pairs using (baseline, candidate)
    left join remembered_estimates as remembered using (rule, baseline, candidate)
    where pairs.exposure <> 'equal' and scopes.rule in (select rule from rules where detector = 'sequential')
    group by scopes.rule, scopes.baseline, scopes.candidate
) as found
