-- What waits to be judged: bins that end in (judged_after, judged_until]. Late records set `judged_after` back.
-- Grain: one row per rule, baseline and candidate; nothing waits for a pair that is no longer compared.
-- Reads: rules, settings, pairs, progress, batches, counters
-- Feeds: people
with
rules as (select distinct rule, settings_hash from rules),

batches as (select batch_id, floor(epoch(min_ts)) as min_second, max_ts from batches where records > 0),

-- Records from before late_second re-judge nothing.
judged as (
    select
        p.rule, p.baseline, p.candidate, p.settings_hash, p.seen_batch_id, p.is_superseded,
        cast(epoch(p.judged_until) as bigint) as judged_second,
        cast(epoch(p.judged_until) as bigint) - 86400 * coalesce(s.late_limit_days, 7) as late_second
    from progress as p left join settings as s on true
),

marks as (select distinct seen_batch_id, late_second from judged),

-- For batches that begin before late_second: their first record after it.
rests as (
    select m.late_second, c.batch_id, cast(min(epoch(c.second)) as bigint) as second
    from marks as m
    inner join batches as b on m.seen_batch_id < b.batch_id and m.late_second > b.min_second
    inner join counters as c on b.batch_id = c.batch_id and m.late_second <= epoch(c.second)
    group by m.late_second, c.batch_id
),

-- What has arrived since the last pass.
arrivals as (
    select
        m.seen_batch_id, m.late_second, min(case
            when b.batch_id > m.seen_batch_id and b.min_second < m.late_second then rests.second
            when b.batch_id > m.seen_batch_id then b.min_second
        end) as unseen_second,
        max(case when b.batch_id <= m.seen_batch_id then floor(epoch(b.max_ts)) end) as seen_until_second
    from marks as m cross join batches as b
    left join rests on m.late_second = rests.late_second and b.batch_id = rests.batch_id
    group by m.seen_batch_id, m.late_second
),

-- Pairs that were judged may have stored alerts, whether or not they are compared now.
compared as (
    select rules.rule, rules.settings_hash, pairs.baseline, pairs.candidate from rules cross join pairs
    union distinct
    select rules.rule, rules.settings_hash, judged.baseline, judged.candidate
    from rules inner join judged on rules.rule = judged.rule
)

-- A gap that closes or grows can change bins up to an hour earlier. After a change of settings all history is judged.
select
    c.rule, c.settings_hash, c.baseline, c.candidate, case
        when pairs.baseline is null then 253402300799
        when judged.settings_hash <> c.settings_hash then -62135596800
        when judged.settings_hash is null then pairs.opened_second
        else greatest(pairs.opened_second, least(
            judged.judged_second - case when a.unseen_second + pairs.users_known_second is null then 0 else 3600 end,
            cast(coalesce(a.unseen_second, judged.judged_second) as bigint)
            - case when a.unseen_second < a.seen_until_second then 3600 else 0 end
        ))
    end as judged_after,
    coalesce(pairs.judged_until_second, -62135596800) as judged_until, pairs.complete_until_second as complete_until,
    pairs.is_current, pairs.is_current and coalesce(judged.is_superseded, false) as is_displaced
from compared as c left join pairs on c.baseline = pairs.baseline and c.candidate = pairs.candidate
left join judged on c.rule = judged.rule and c.baseline = judged.baseline and c.candidate = judged.candidate
left join arrivals as a on judged.seen_batch_id = a.seen_batch_id and judged.late_second = a.late_second
