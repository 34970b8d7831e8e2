-- What other codes sent since the onset of an increase: estimates are an hour behind a build that gets more users.
-- Grain: one row per series and bin of increases; k: errors of the candidate, n: of both builds, of the lower half.
-- Reads: increases, code_errors
-- Feeds: increase_errors
with
increases as (select series, bin_second, onset_second from increases),

code_errors as (select * from code_errors),

asked as (
    select e.rule, e.pair_id, i.series, i.bin_second, i.onset_second
    from increases as i inner join code_errors as e on i.series = e.series and i.bin_second = e.bin_second
    where e.exposure in ('estimated', 'assumed', 'doubtful')
),

pairs as (select rule, pair_id, min(onset_second) as first_second from asked group by rule, pair_id),

codes as (
    select distinct pairs.rule, pairs.pair_id, e.series
    from pairs inner join code_errors as e on pairs.rule = e.rule and pairs.pair_id = e.pair_id
    where e.bin_second >= pairs.first_second
),

moments as (
    select rule, pair_id, bin_second as second from asked
    union distinct
    select rule, pair_id, onset_second - 1 as second from asked
),

-- Running sums of each code at each moment that is asked for.
points as (
    select e.series, e.bin_second as second, e.k, e.n
    from code_errors as e inner join pairs on e.rule = pairs.rule and e.pair_id = pairs.pair_id
    where e.bin_second >= pairs.first_second
    union all
    select codes.series, moments.second, 0 as k, 0 as n
    from codes inner join moments on codes.rule = moments.rule and codes.pair_id = moments.pair_id
),

sums as (
    select
        series, second, sum(sum(k)) over (partition by series order by second) as k,
        sum(sum(n)) over (partition by series order by second) as n
    from points group by series, second
),

signs as (
    select 1 as sign
    union all
    select -1 as sign
),

-- Of each other code what came since the onset: sums of now less sums of then.
counts as (
    select
        a.series, a.bin_second, codes.series as other, sum(signs.sign * sums.k) as k, sum(signs.sign * sums.n) as n
    from asked as a
    inner join codes on a.rule = codes.rule and a.pair_id = codes.pair_id
    cross join signs
    inner join sums
        on
            codes.series = sums.series
            and sums.second = case signs.sign when 1 then a.bin_second else a.onset_second - 1 end
    where codes.series <> a.series
    group by a.series, a.bin_second, codes.series
),

-- A code counts at most as much as codes do on average.
shares as (
    select
        series, bin_second, other, cast(k as double) / nullif(n, 0) as share,
        least(n, avg(n) over (partition by series, bin_second)) as weight
    from counts where n > 0
),

ranked as (
    select
        series, bin_second, share, weight, sum(weight) over (partition by series, bin_second) as total,
        count(*) over (partition by series, bin_second) as others,
        sum(weight) over (
            partition by series, bin_second
            order by share asc, other asc rows between unbounded preceding and current row
        ) as reach
    from shares
)

-- What at least half of them rose to: traffic moves all codes, a regression some. One code says nothing.
select series, bin_second, sum(share * weight) as k, sum(weight) as n
from ranked
where 2 * (reach - weight) < total and others >= 2
group by series, bin_second
