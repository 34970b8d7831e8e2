-- Comparisons whose exposure [[exposure]] may give, and what it gives at second $latest, in the last bin of a rule
-- sequential. Most codes must agree that the exposure is unequal: one code alone is a regression. One or two codes do
-- not decide. A build with 0 users that sends 20 errors or more cannot be compared.
with given as (
    select build, arg_max(users, since_ts) as users
    from exposure
    where since_ts <= make_timestamp(cast($latest as bigint) * 1000000)
    group by build
),

known as (select pair_id, arg_max(exposure, bin_second) as exposure from shares group by pair_id),

codes as (
    select
        pair_id, sum(baseline_errors) as baseline_errors, sum(candidate_errors) as candidate_errors,
        sum(candidate_errors) / nullif(sum(baseline_errors + candidate_errors), 0) as share
    from tallies
    group by pair_id, code
),

sent as (
    select
        pair_id, sum(baseline_errors) as baseline_errors, sum(candidate_errors) as candidate_errors,
        count(*) filter (where baseline_errors + candidate_errors >= 20) as codes,
        median(share) filter (where baseline_errors + candidate_errors >= 20) as share
    from codes
    group by pair_id
)

select
    pairs.baseline, pairs.candidate,
    case
        when newer.build is not null and older.build is null then pairs.baseline
        when older.build is not null and newer.build is null then pairs.candidate
    end as unknown_build,
    coalesce(older.users + newer.users = 0, false) as is_nobody,
    case
        when older.users = 0 and newer.users > 0 and sent.baseline_errors >= 20 then pairs.baseline
        when newer.users = 0 and older.users > 0 and sent.candidate_errors >= 20 then pairs.candidate
    end as unused_build,
    case when pairs.is_estimated then 'exposure is estimated' else 'equal exposure is assumed' end as assumption,
    known.exposure = 'doubtful' and coalesce(sent.codes < 3 or abs(sent.share - 0.5) > 0.3, true) as is_doubtful
from pairs
inner join known on pairs.pair_id = known.pair_id
left join sent on pairs.pair_id = sent.pair_id
left join given as older on pairs.baseline = older.build
left join given as newer on pairs.candidate = newer.build
where pairs.exposure = 'given' and pairs.is_current
order by pairs.candidate, pairs.baseline
