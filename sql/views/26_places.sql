-- Which comparisons of a family have a place among those that are judged side by side, in each block of ten minutes.
-- Grain: one row per pair that competes for places and block: one of builds of now that are not named.
-- Reads: presence, pairs, settings
-- Feeds: judged_bins
with
-- A comparison with days before takes no place from another.
pairs as (select * from pairs where not is_named and lag_seconds = 0),

sent as (
    select build, floor(second / 600) * 600 as block_second, sum(records) as records
    from presence group by build, floor(second / 600) * 600
),

blocks as (select distinct block_second from sent),

-- What each build sent in the hour before a block: places must not change with the records that come after.
hours as (
    select sent.build, blocks.block_second, sum(sent.records) as records
    from blocks
    inner join sent on blocks.block_second > sent.block_second and blocks.block_second - 3600 <= sent.block_second
    group by sent.build, blocks.block_second
),

-- A comparison is as large as the smaller of its builds. Those that open in a block compete with each other alone.
sizes as (
    select
        p.pair_id, p.family, blocks.block_second,
        p.opened_second > blocks.block_second as is_opening, p.opened_second > blocks.block_second - 3600 as is_new,
        p.opened_second > blocks.block_second - 604800 as is_recent, case
            when p.opened_second > blocks.block_second then -p.opened_second else least(o.records, n.records)
        end as size
    from pairs as p
    inner join blocks on p.opened_second < blocks.block_second + 600
    left join hours as o on p.baseline = o.build and blocks.block_second = o.block_second
    left join hours as n on p.candidate = n.build and blocks.block_second = n.block_second
    where p.opened_second > blocks.block_second or o.records + n.records > 0
),

orders as (
    select
        pair_id, family, block_second, is_opening, is_new, is_recent,
        row_number() over (partition by family, block_second, is_opening order by size desc, pair_id asc) as place,
        row_number() over (partition by family, block_second, is_opening, is_new order by size desc, pair_id asc) as nth
    from sizes
)

-- The largest first, then the largest new one: neither stray builds nor old ones keep a release from being compared.
select
    orders.pair_id, cast(orders.block_second as bigint) as block_second,
    row_number() over (
        partition by orders.family, orders.block_second, orders.is_opening
        order by
            case when orders.place = 1 then 0 when orders.is_new and orders.nth = 1 then 1 else 2 end asc,
            orders.is_recent desc, orders.place asc
    ) <= settings.max_comparisons as is_compared
from orders cross join settings
