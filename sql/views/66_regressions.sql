-- Increases in the judged bins in which they are valid: the ratio of rates since the onset, and the gates.
-- Grain: one row per series and judged bin; is_brief: one client's burst, is_traffic: most codes, is_silent: no errors.
-- Reads: increase_errors, bins, suspects, judged_bins, hypotheses
-- Feeds: fired
with
hypotheses as (select distinct rule, min_bins from hypotheses),

-- The bins in which an increase is valid, and the errors of the candidate that are allowed at min_ratio.
stops as (
    select
        i.series, i.bin_second, unnest(generate_series(
            greatest(i.bin_second, s.first_second), least(i.next_second - 1, s.last_second), b.bin_seconds
        )) as stop_second, b.min_ratio * i.t / nullif(1 + (b.min_ratio - 1) * i.t / nullif(i.n, 0), 0) as fine
    from increase_errors as i
    inner join bins as b on i.series = b.series and i.bin_second = b.bin_second
    inner join suspects as s on i.series = s.series
)

-- A burst of one client is concentrated: (sum of excess)^2 / (sum of excess^2) is few bins, however long ago it was. If
-- other codes rose too, only the increase beyond theirs counts.
select
    b.series, b.rule, b.detector, b.baseline, b.candidate, b.code, b.bin_seconds, s.stop_second,
    cast((s.stop_second - i.onset_second) / nullif(b.bin_seconds, 0) + 1 as bigint) as window_bins,
    i.onset_second as start_second, i.rate_ratio, round(i.nats / 2.302585092994046, 9) as value,
    round(i.threshold / 2.302585092994046, 9) as threshold, i.doubt, i.nats >= i.threshold as is_enough,
    pow(i.k - i.f, 2) <= h.min_bins * i.squares as is_brief,
    case when i.squares > 0 then round(pow(i.k - i.f, 2) / nullif(i.squares, 0), 3) end as spread_bins,
    case
        when b.exposure = 'given' and abs(i.e - i.n * b.candidate_share) > 0.001 then 'changing'
        when i.is_higher then 'estimated' else b.exposure
    end as exposure,
    cast(i.n - i.k as bigint) as baseline_errors, cast(i.k as bigint) as candidate_errors,
    i.is_higher and (i.k <= s.fine or i.w / nullif(i.n, 0) * (
        i.k * ln(greatest(1, i.k)) + (i.n - i.k) * ln(greatest(1, i.n - i.k))
        - i.k * ln(greatest(0.000001, s.fine)) - (i.n - i.k) * ln(greatest(0.000001, i.n - s.fine))
    ) < i.threshold) as is_traffic,
    i.w * (j.past_bins - b.past_bins) > 6.907755 * i.busy as is_silent,
    round(i.w * (j.past_bins - b.past_bins) / nullif(i.busy, 0), 6) as missed_errors,
    round(i.e / nullif(i.n, 0), 6) as candidate_share, round(i.t / nullif(i.n, 0), 6) as tested_share,
    round(i.n / nullif(i.w, 0), 3) as dispersion,
    round(i.k * (i.n - i.e) / nullif((i.n - i.k) * i.e, 0), 6) as ratio
from stops as s
inner join increase_errors as i on s.series = i.series and s.bin_second = i.bin_second
inner join bins as b on s.series = b.series and s.bin_second = b.bin_second
inner join judged_bins as j on b.rule = j.rule and b.pair_id = j.pair_id and s.stop_second = j.bin_second
inner join hypotheses as h on b.rule = h.rule
where j.is_judged
