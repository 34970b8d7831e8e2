-- Remember the exposure that a portion estimated for its blocks, [$from_block, $until] (epoch seconds); NULL where the
-- stream told nothing.
insert into remembered_estimates
select
    scopes.rule, scopes.baseline, scopes.candidate, scopes.settings_hash,
    make_timestamp(blocks.block_second * 1000000) as block_ts, e.sent_share, e.candidate_share, e.tested_share
from portion_scopes
inner join pass_scopes as scopes using (rule, baseline, candidate)
inner join placed_pairs as pairs using (baseline, candidate)
cross join range($from_block, $until + 1, 120) as blocks (block_second)
left join kept_estimates as e
    on scopes.rule = e.rule and pairs.pair_id = e.pair_id and blocks.block_second = e.block_second
where pairs.exposure <> 'equal' and scopes.rule in (select rule from rules where detector = 'sequential')
