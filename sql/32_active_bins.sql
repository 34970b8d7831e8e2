-- How many seconds of a bin were active: had any record of either build.
-- Grain: one row per rule, pair and bin with a record.
-- Reads: presence, pairs, rules
-- Feeds: judged_bins
with
presence as (select build, second from presence),

pairs as (select pair_id, baseline, candidate from pairs),

rules as (select distinct rule, bin_seconds from rules)

select
    rules.rule,
    pairs.pair_id,
    cast(floor(presence.second / rules.bin_seconds) * rules.bin_seconds as bigint) as bin_second,
    count(distinct presence.second) as active_seconds
from presence
inner join pairs on presence.build = pairs.baseline or presence.build = pairs.candidate
cross join rules
group by
    rules.rule,
    pairs.pair_id,
    cast(floor(presence.second / rules.bin_seconds) * rules.bin_seconds as bigint)
