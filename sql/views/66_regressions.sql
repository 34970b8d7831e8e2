-- Increases in the judged bins for which they stand: the ratio of rates since the onset, and what may hold them back.
-- Grain: one row per series and judged bin; is_brief: of one client, is_traffic: of most codes, is_silent: of none.
-- Reads: increase_errors, suspects, judged_bins, hypotheses
-- Feeds: fired
with
increase_errors as (select * from increase_errors),

suspects as (select * from suspects),

judged_bins as (select rule, pair_id, bin_second, past_bins from judged_bins where is_judged),

hypotheses as (select distinct rule, min_bins from hypotheses),

held as (
    select
        i.series, i.rule, i.detector, i.pair_id, i.baseline, i.candidate, i.code, i.bin_seconds, i.onset_second,
        i.rate_ratio, i.nats, i.threshold, i.doubt, i.exposure, i.candidate_share, i.past_bins, i.busy, i.n, i.k, i.e,
        i.t, i.f, i.w, i.squares, i.is_higher, i.n - i.k as b,
        i.min_ratio * i.t / nullif(1 + (i.min_ratio - 1) * i.t / nullif(i.n, 0), 0) as fine, unnest(generate_series(
            greatest(i.bin_second, s.first_second), least(i.next_second - 1, s.last_second), i.bin_seconds
        )) as stop_second
    from increase_errors as i inner join suspects as s on i.series = s.series
)

-- Of a burst of one client the errors above what was to be expected lie as closely as in few bins (the square of their
-- sum over that of their squares), however long ago it was. Where other codes rise alike, what counts is what is left.
select
    h.series, h.rule, h.detector, h.baseline, h.candidate, h.code, h.bin_seconds, h.stop_second,
    cast((h.stop_second - h.onset_second) / nullif(h.bin_seconds, 0) + 1 as bigint) as window_bins,
    h.onset_second as start_second, h.rate_ratio, round(h.nats / 2.302585092994046, 9) as value,
    round(h.threshold / 2.302585092994046, 9) as threshold, h.doubt, h.nats >= h.threshold as is_enough,
    pow(h.k - h.f, 2) <= hypotheses.min_bins * h.squares as is_brief,
    case when h.squares > 0 then round(pow(h.k - h.f, 2) / nullif(h.squares, 0), 3) end as spread_bins,
    case
        when h.exposure = 'given' and abs(h.e - h.n * h.candidate_share) > 0.001 then 'changing'
        when h.is_higher then 'estimated' else h.exposure
    end as exposure,
    cast(h.n - h.k as bigint) as baseline_errors, cast(h.k as bigint) as candidate_errors,
    h.is_higher and (h.k <= h.fine or h.w / nullif(h.n, 0) * (
        h.k * ln(greatest(1, h.k)) + h.b * ln(greatest(1, h.b))
        - h.k * ln(greatest(0.000001, h.fine)) - h.b * ln(greatest(0.000001, h.n - h.fine))
    ) < h.threshold) as is_traffic,
    h.w * (j.past_bins - h.past_bins) > 6.907755 * h.busy as is_silent,
    round(h.w * (j.past_bins - h.past_bins) / nullif(h.busy, 0), 6) as missed_errors,
    round(h.e / nullif(h.n, 0), 6) as candidate_share, round(h.t / nullif(h.n, 0), 6) as tested_share,
    round(h.n / nullif(h.w, 0), 3) as dispersion,
    round(h.k * (h.n - h.e) / nullif((h.n - h.k) * h.e, 0), 6) as ratio
from held as h
inner join judged_bins as j on h.rule = j.rule and h.pair_id = j.pair_id and h.stop_second = j.bin_second
inner join hypotheses on h.rule = hypotheses.rule
