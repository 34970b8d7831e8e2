-- Sums over the seconds of a bin with a record of the code, by the formula of the rule's detector.
-- Grain: one row per rule, pair, code and bin with a record of the code; for sequential only the errors.
-- Reads: pair_steps, rules
-- Feeds: estimates, bins
with
steps as (
    select distinct
        rule, detector, bin_seconds, case when detector = 'sequential' then bin_seconds else 1 end as step_seconds
    from rules
)

select
    r.rule, s.pair_id, s.code, cast(floor(s.second / r.bin_seconds) * r.bin_seconds as bigint) as bin_second,
    cast(sum(s.baseline_errors) as bigint) as baseline_errors,
    cast(sum(s.candidate_errors) as bigint) as candidate_errors, count(*) as recorded_seconds,
    sum(cast(case
        when r.detector = 'mean_difference' then s.candidate_errors - s.baseline_errors
        when r.detector = 'mean_ratio' and s.baseline_errors > 0
            then cast(s.candidate_errors as double) / nullif(s.baseline_errors * r.bin_seconds, 0)
        when r.detector = 'mean_ratio' then 0.05 * r.bin_seconds
    end as decimal(38, 12))) as recorded_value
from pair_steps as s inner join steps as r on s.step_seconds = r.step_seconds
group by r.rule, s.pair_id, s.code, cast(floor(s.second / r.bin_seconds) * r.bin_seconds as bigint)
