-- Stretches in which pairs of a portion are not judged: a build is silent, or the pair has no place.
create or replace temp table silent as
with stretches as (
    select
        pairs.baseline, pairs.candidate, greatest(gaps.from_second, $after::bigint, opened_second) as from_second,
        least(gaps.until_second, case when gaps.is_rare then users_known_second end) as until_second
    from compared_pairs as pairs
    semi join portion_scopes using (baseline, candidate)
    inner join silences as gaps on gaps.build in (pairs.baseline, pairs.candidate)
    union all
    select
        baseline, candidate, greatest(block_second, $after::bigint, opened_second) as from_second,
        block_second + 600 as until_second
    from kept_places
    inner join compared_pairs using (pair_id)
    semi join portion_scopes using (baseline, candidate)
    where not is_compared
),

reaches as (
    select
        *, max(until_second) over (
            partition by baseline, candidate
            order by from_second, until_second rows between unbounded preceding and 1 preceding
        ) as reach
    from stretches where until_second > from_second
),

islands as (
    select
        *, sum(case when from_second <= reach then 0 else 1 end) over (
            partition by baseline, candidate order by from_second, until_second
        ) as island
    from reaches
)

select
    baseline, candidate, make_timestamp(min(from_second) * 1000000) as from_ts,
    make_timestamp(max(until_second) * 1000000) as until_ts
from islands
group by baseline, candidate, island
