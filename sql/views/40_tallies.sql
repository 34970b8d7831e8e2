-- What the seconds with a record of a code add up to in a bin, by the formula of the rule's detector.
-- Grain: one row per rule, pair, code and bin with a record of the code.
-- Reads: pair_steps, rules
-- Feeds: estimates, bins
with
rules as (
    select distinct
        rule, detector, bin_seconds, case when detector = 'sequential' then bin_seconds else 1 end as step_seconds
    from rules
),

tallied as (
    select
        rules.rule, pair_steps.pair_id, pair_steps.code,
        cast(floor(pair_steps.second / rules.bin_seconds) * rules.bin_seconds as bigint) as bin_second,
        cast(sum(pair_steps.baseline_errors) as bigint) as baseline_errors,
        cast(sum(pair_steps.candidate_errors) as bigint) as candidate_errors,
        count(*) as recorded_seconds,
        sum(
            cast(
                case
                    when rules.detector = 'mean_difference'
                        then pair_steps.candidate_errors - pair_steps.baseline_errors
                    when pair_steps.baseline_errors > 0
                        then
                            cast(pair_steps.candidate_errors as double)
                            / nullif(pair_steps.baseline_errors * rules.bin_seconds, 0)
                    else 0.05 * rules.bin_seconds
                end as decimal(38, 12)
            )
        ) as recorded_value
    from pair_steps
    inner join rules on pair_steps.step_seconds = rules.step_seconds
    where rules.detector <> 'sequential'
    group by
        rules.rule, pair_steps.pair_id, pair_steps.code,
        cast(floor(pair_steps.second / rules.bin_seconds) * rules.bin_seconds as bigint)
    union all
    -- Its steps are bins already.
    select
        rules.rule, pair_steps.pair_id, pair_steps.code, pair_steps.second as bin_second, pair_steps.baseline_errors,
        pair_steps.candidate_errors, 1 as recorded_seconds,
        cast(pair_steps.candidate_errors as decimal(38, 12)) as recorded_value
    from pair_steps
    inner join rules on pair_steps.step_seconds = rules.bin_seconds
    where rules.detector = 'sequential'
)

select rule, pair_id, code, bin_second, baseline_errors, candidate_errors, recorded_seconds, recorded_value
from tallied
