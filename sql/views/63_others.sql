-- Errors of other codes since the onset of an increase: estimated exposure is an hour behind when a build gets users.
-- Grain: one row per series and bin of increases; k: errors of the candidate, n: of both builds, in the lower half.
-- Reads: increases, code_errors
-- Feeds: increase_errors
with
onsets as (
    select e.rule, e.pair_id, i.series, i.bin_second, i.onset_second
    from increases as i inner join code_errors as e on i.series = e.series and i.bin_second = e.bin_second
    where e.exposure in ('estimated', 'assumed', 'doubtful')
),

-- Errors since an onset: sums up to now minus sums up to the bin before it.
moments as (
    select rule, pair_id, series, bin_second, bin_second as second, 1 as sign from onsets
    union all
    select rule, pair_id, series, bin_second, onset_second - 1 as second, -1 as sign from onsets
),

errors as (
    select e.rule, e.pair_id, e.series, e.bin_second as second, e.k, e.n
    from (select rule, pair_id, min(onset_second) as first_second from onsets group by rule, pair_id) as p
    inner join code_errors as e on p.rule = e.rule and p.pair_id = e.pair_id and p.first_second <= e.bin_second
),

codes as (select distinct rule, pair_id, series from errors),

points as (
    select rule, pair_id, series, second, k, n from errors
    union all
    select distinct c.rule, c.pair_id, c.series, m.second, 0 as k, 0 as n
    from codes as c inner join moments as m on c.rule = m.rule and c.pair_id = m.pair_id
),

sums as (
    select
        rule, pair_id, series, second, sum(sum(k)) over (partition by series order by second) as k,
        sum(sum(n)) over (partition by series order by second) as n
    from points group by rule, pair_id, series, second
),

counts as (
    select m.series, m.bin_second, s.series as other, sum(m.sign * s.k) as k, sum(m.sign * s.n) as n
    from moments as m inner join sums as s on m.rule = s.rule and m.pair_id = s.pair_id and m.second = s.second
    where m.series <> s.series
    group by m.series, m.bin_second, s.series
),

-- The weight of a code is its errors, but at most the mean of the codes.
shares as (
    select
        series, bin_second, other, cast(k as double) / nullif(n, 0) as share,
        least(n, avg(n) over (partition by series, bin_second)) as weight
    from counts where n > 0
),

ranked as (
    select
        series, bin_second, share, weight, sum(weight) over bin as total, count(*) over bin as others,
        sum(weight) over (
            partition by series, bin_second
            order by share asc, other asc rows between unbounded preceding and current row
        ) as reach
    from shares window bin as (partition by series, bin_second)
)

-- The half of the codes that rose least: traffic raises all codes, a regression some. One other code is not enough.
select series, bin_second, sum(share * weight) as k, sum(weight) as n
from ranked
where 2 * (reach - weight) < total and others >= 2
group by series, bin_second
