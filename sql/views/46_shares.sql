-- The candidate's share of the exposure of both builds, and how it is known.
-- Grain: one row per rule of sequential, pair and bin; tested_share: the highest share that is assumed in the test.
-- Reads: bin_grids, pairs, exposure, estimates, hypotheses
-- Feeds: bins
with
exposure as (select build, users, cast(floor(epoch(since_ts)) as bigint) as since_second from exposure),

hypotheses as (select rule, max(min_ratio) as min_ratio from hypotheses group by rule),

stretches as (
    select
        pairs.pair_id, exposure.since_second, lead(exposure.since_second, 1, 253402300799) over times as until_second,
        last_value(max(case when exposure.build = pairs.baseline then exposure.users end) ignore nulls) over times
            as old_users,
        last_value(max(case when exposure.build = pairs.candidate then exposure.users end) ignore nulls) over times
            as new_users
    from pairs
    inner join exposure on pairs.exposure = 'given' and exposure.build in (pairs.baseline, pairs.candidate)
    group by pairs.pair_id, exposure.since_second
    window times as (partition by pairs.pair_id order by exposure.since_second)
),

-- If the share changes within a bin, the higher one counts, so that a rollout raises no alarm.
found as (
    select
        bins.rule, bins.pair_id, bins.bin_second,
        max(stretches.new_users / nullif(stretches.old_users + stretches.new_users, 0)) as given,
        max(case when pairs.is_estimated then e.candidate_share end) as estimated,
        max(case when pairs.is_estimated then e.tested_share end) as highest,
        case when abs(max(e.sent_share) - 0.5) > 0.3 then 'doubtful' else 'assumed' end as unknown
    from bin_grids as bins
    inner join pairs on bins.pair_id = pairs.pair_id
    left join stretches
        on
            bins.pair_id = stretches.pair_id and bins.bin_second < stretches.until_second
            and bins.bin_second + bins.bin_seconds > stretches.since_second
    left join estimates as e
        on bins.rule = e.rule and bins.pair_id = e.pair_id and floor(bins.bin_second / 120) * 120 = e.block_second
    where bins.detector = 'sequential'
    group by bins.rule, bins.pair_id, bins.bin_second
)

select
    found.rule, found.pair_id, found.bin_second, case
        when found.given is not null then 'given' when found.estimated is not null then 'estimated'
        when pairs.exposure = 'equal' then 'equal' else found.unknown
    end as exposure,
    least(greatest(coalesce(found.given, found.estimated, 0.5), 0.0001), 0.9999) as candidate_share, least(
        greatest(coalesce(found.given, found.highest, 0.5), 0.0001) * (1 + pairs.exposure_tolerance), 0.9999
    ) as tested_share,
    greatest(hypotheses.min_ratio, pairs.min_ratio) as min_ratio
from found
inner join pairs on found.pair_id = pairs.pair_id
inner join hypotheses on found.rule = hypotheses.rule
