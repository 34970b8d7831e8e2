-- The candidate's share of the exposure of both builds, and how it is known.
-- Grain: one row per rule of sequential, pair and bin; tested_share is the highest it may be, all while not estimated.
-- Reads: bin_grids, pairs, exposure, estimates
-- Feeds: bins
with
bin_grids as (select rule, bin_seconds, pair_id, bin_second from bin_grids where detector = 'sequential'),

pairs as (select pair_id, baseline, candidate, exposure, exposure_tolerance from pairs),

exposure as (select build, users, cast(floor(epoch(since_ts)) as bigint) as since_second from exposure),

estimates as (select rule, pair_id, block_second, record_share, candidate_share from estimates),

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
        last_value(new_users ignore nulls) over times as new_users,
        last_value(old_users ignore nulls) over times + last_value(new_users ignore nulls) over times as users
    from changes
    window times as (partition by pair_id order by since_second)
),

-- Where it changes within a bin the higher share counts: no rollout raises an alarm.
found as (
    select
        bin_grids.rule, bin_grids.pair_id, bin_grids.bin_second, pairs.exposure, pairs.exposure_tolerance,
        case when abs(max(estimates.record_share) - 0.5) > 0.3 then 'doubtful' else 'assumed' end as unknown,
        coalesce(max(stretches.new_users / nullif(stretches.users, 0)), max(estimates.candidate_share)) as share
    from bin_grids
    inner join pairs on bin_grids.pair_id = pairs.pair_id
    left join stretches
        on
            bin_grids.pair_id = stretches.pair_id and bin_grids.bin_second < stretches.until_second
            and bin_grids.bin_second + bin_grids.bin_seconds > stretches.since_second
    left join estimates
        on
            bin_grids.rule = estimates.rule and bin_grids.pair_id = estimates.pair_id
            and bin_grids.bin_second - bin_grids.bin_second % 120 = estimates.block_second
    group by bin_grids.rule, bin_grids.pair_id, bin_grids.bin_second, pairs.exposure, pairs.exposure_tolerance
)

select
    rule, pair_id, bin_second,
    case when share is not null or exposure = 'equal' then exposure else unknown end as exposure,
    least(greatest(coalesce(share, 0.5), 0.0001), 0.9999) as candidate_share,
    case
        when exposure = 'estimated' and share is null then 0.9999
        else least(greatest(coalesce(share, 0.5), 0.0001) * (1 + exposure_tolerance), 0.9999)
    end as tested_share
from found
