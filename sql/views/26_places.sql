-- Which comparisons of a family are judged side by side (have a place), in each block of ten minutes.
-- Grain: one row per block and pair that competes for places: of current builds that the settings do not name.
-- Reads: presence, pairs, settings
-- Feeds: judged_bins
with
-- Comparisons with days before need no place.
pairs as (select * from pairs where not is_named and lag_seconds = 0),

sent as (
    select build, floor(second / 600) * 600 as block_second, sum(records) as records
    from presence group by build, floor(second / 600) * 600
),

blocks as (select distinct block_second from sent),

-- Records of each build in the hour before a block: later records must not change places.
hours as (
    select sent.build, blocks.block_second, sum(sent.records) as records
    from blocks
    inner join sent on blocks.block_second > sent.block_second and blocks.block_second - 3600 <= sent.block_second
    group by sent.build, blocks.block_second
),

-- The size of a comparison is that of its smaller build. Those that open in the block compete only with each other.
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

-- The largest first, then the largest new one, so that neither stray builds nor old ones keep out a release.
select
    orders.pair_id, cast(orders.block_second as bigint) as block_second,
    row_number() over (
        partition by orders.family, orders.block_second, orders.is_opening
        order by
            case when orders.place = 1 then 0 when orders.is_new and orders.nth = 1 then 1 else 2 end asc,
            orders.is_recent desc, orders.place asc
    ) <= settings.max_comparisons as is_compared
from orders cross join settings
