-- The candidate's share of the exposure of both builds, and how it is known.
-- Grain: one row per rule of sequential, pair and bin; tested_share is the highest it may be, all while not estimated.
-- Reads: bin_grids, pairs, exposure, estimates
-- Feeds: bins
with
bin_grids as (select rule, bin_seconds, pair_id, bin_second from bin_grids where detector = 'sequential'),

pairs as (select pair_id, baseline, candidate, exposure, exposure_tolerance from pairs),

exposure as (select build, users, cast(floor(epoch(since_ts)) as bigint) as since_second from exposure),

estimates as (select rule, pair_id, block_second, candidate_share, tested_share from estimates),

changes as (
    select
        pairs.pair_id, exposure.since_second,
        max(case when exposure.build = pairs.baseline then exposure.users end) as old_users,
        max(case when exposure.build = pairs.candidate then exposure.users end) as new_users
    from pairs
    inner join exposure on pairs.exposure = 'given' and exposure.build in (pairs.baseline, pairs.candidate)
    group by pairs.pair_id, exposure.since_second
),

stretches as (
    select
        pair_id, since_second, lead(since_second, 1, 253402300799) over times as until_second,
        last_value(new_users ignore nulls) over times / nullif(
            last_value(old_users ignore nulls) over times + last_value(new_users ignore nulls) over times, 0
        ) as share
    from changes
    window times as (partition by pair_id order by since_second)
),

-- Where it changes within a bin the higher share counts: no rollout raises an alarm.
found as (
    select
        bins.rule, bins.pair_id, bins.bin_second, pairs.exposure, pairs.exposure_tolerance,
        case when abs(max(e.candidate_share) - 0.5) > 0.3 then 'doubtful' else 'assumed' end as unknown,
        max(case when pairs.exposure = 'estimated' then e.candidate_share else stretches.share end) as share,
        max(case when pairs.exposure = 'estimated' then e.tested_share else stretches.share end) as highest
    from bin_grids as bins
    inner join pairs on bins.pair_id = pairs.pair_id
    left join stretches
        on
            bins.pair_id = stretches.pair_id and bins.bin_second < stretches.until_second
            and bins.bin_second + bins.bin_seconds > stretches.since_second
    left join estimates as e
        on bins.rule = e.rule and bins.pair_id = e.pair_id and floor(bins.bin_second / 120) * 120 = e.block_second
    group by bins.rule, bins.pair_id, bins.bin_second, pairs.exposure, pairs.exposure_tolerance
)

select
    rule, pair_id, bin_second,
    case when share is not null or exposure = 'equal' then exposure else unknown end as exposure,
    least(greatest(coalesce(share, 0.5), 0.0001), 0.9999) as candidate_share,
    least(
        greatest(coalesce(highest, case when exposure = 'estimated' then 1 else 0.5 end), 0.0001)
        * (1 + exposure_tolerance), 0.9999
    ) as tested_share
from found
