-- Which builds are compared when, and how far: up to the earlier of their latest records, less the lateness.
-- Grain: one row per baseline and candidate; it rules the bins that end in (from_second, until_second], first to last.
-- Reads: builds, settings, candidates
-- Feeds: scopes, pair_steps, estimates, bin_grids, judged_bins, shares, new_codes
with
builds as (select build, version_rank, last_second from builds),

settings as (select lateness_seconds, is_final from settings),

candidates as (
    select
        baseline, builds_like, exposure, exposure_tolerance, from_second, until_second, build, version_rank,
        is_established, candidate_rank
    from candidates
),

resolved as (
    select
        from_second, until_second, candidate_rank, exposure, exposure_tolerance,
        max(
            case
                when baseline = 'previous' and is_established and version_rank < candidate_rank then version_rank
                when baseline = build and version_rank <> candidate_rank then version_rank
            end
        ) as baseline_rank
    from candidates
    group by baseline, builds_like, exposure, exposure_tolerance, from_second, until_second, candidate_rank
),

pairs as (
    select
        olds.build as baseline,
        news.build as candidate,
        max(resolved.exposure) as exposure,
        max(resolved.exposure_tolerance) as exposure_tolerance,
        min(resolved.from_second) as from_second,
        max(resolved.until_second) as until_second,
        min(cast(epoch(least(olds.last_second, news.last_second)) as bigint)) as heard_until_second
    from resolved
    inner join builds as olds on resolved.baseline_rank = olds.version_rank
    inner join builds as news on resolved.candidate_rank = news.version_rank
    group by olds.build, news.build
)

select
    row_number() over (order by pairs.baseline, pairs.candidate) as pair_id,
    pairs.baseline,
    pairs.candidate,
    pairs.exposure,
    pairs.exposure_tolerance,
    pairs.from_second,
    pairs.until_second,
    pairs.heard_until_second - settings.lateness_seconds as complete_until_second,
    case
        when settings.is_final then 253402300799
        else pairs.heard_until_second - settings.lateness_seconds
    end as judged_until_second
from pairs
cross join settings
