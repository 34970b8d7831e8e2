-- What the evidence of all windows together says of a bin that can have enough, and whether the increase has ended.
-- Grain: one row per series and bin of evidence_windows; the window is the likeliest, of equals the shortest.
-- Reads: evidence_windows
-- Feeds: regressions
with
evidence_windows as (
    select
        series, bin_second, bin_seconds, window_bins, threshold, log_share, nats_1, nats_2, nats_3, nats_4, nats_5,
        nats_6, nats_7, greatest(nats_1, nats_2, nats_3, nats_4, nats_5, nats_6, nats_7) as nats
    from evidence_windows
),

-- What longer windows say more than this one is an increase that ended where this one begins. One that begins right
-- there may hold its last bins: what goes on since is told from the windows that are shorter still.
compared as (
    select
        series, bin_second, bin_seconds, window_bins, threshold, log_share, nats_1, nats_2, nats_3, nats_4, nats_5,
        nats_6, nats_7, nats, max(nats + log_share) over (partition by series, bin_second) as top_term,
        max(case when log_share is not null then nats end) over (partition by series, bin_second) as top_nats,
        coalesce(max(nats + log_share) over (
            partition by series, bin_second order by window_bins rows between unbounded preceding and 1 preceding
        ), 0) as since_term,
        greatest(
            max(nats_1) over longer - nats_1, max(nats_2) over longer - nats_2, max(nats_3) over longer - nats_3,
            max(nats_4) over longer - nats_4, max(nats_5) over longer - nats_5, max(nats_6) over longer - nats_6,
            max(nats_7) over longer - nats_7
        ) as ended_nats
    from evidence_windows
    window longer as (
        partition by series, bin_second order by window_bins desc rows between unbounded preceding and 1 preceding
    )
),

ended as (
    select
        series, bin_second, bin_seconds, window_bins, threshold, log_share, nats, top_term, top_nats, since_term,
        ended_nats, max(ended_nats) over (partition by series, bin_second) as top_ended_nats,
        coalesce(exp(nats_1 + log_share - top_term), 0) + coalesce(exp(nats_2 + log_share - top_term), 0)
        + coalesce(exp(nats_3 + log_share - top_term), 0) + coalesce(exp(nats_4 + log_share - top_term), 0)
        + coalesce(exp(nats_5 + log_share - top_term), 0) + coalesce(exp(nats_6 + log_share - top_term), 0)
        + coalesce(exp(nats_7 + log_share - top_term), 0) as mass
    from compared
),

sums as (
    select
        series, bin_second, max(bin_seconds) as bin_seconds, max(threshold) as threshold,
        min(case when log_share is not null and nats = top_nats then window_bins end) as window_bins,
        greatest(max(top_ended_nats) - max(nats), 0) as doubt,
        min(case when ended_nats = top_ended_nats then since_term end) as since_term,
        round((max(top_term) + ln(sum(mass))) / 2.302585092994046, 9) as value
    from ended group by series, bin_second
)

-- A thousand times likelier that it has ended than that it goes on, and no window since then says enough alone.
select
    series, bin_second, bin_seconds, window_bins, threshold, doubt, value, value >= threshold as is_enough,
    doubt > 6.907755 and since_term < threshold * 2.302585092994046 as is_over
from sums
