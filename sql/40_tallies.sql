-- What the seconds with a record of a code add up to in a bin, by the formula of the rule's detector.
-- Grain: one row per rule, pair, code and bin with a record of the code.
-- Reads: pair_seconds, rules
-- Feeds: bins
with
pair_seconds as (select pair_id, code, second, baseline_errors, candidate_errors from pair_seconds),

rules as (select distinct rule, detector, bin_seconds from rules)

select
    rules.rule,
    pair_seconds.pair_id,
    pair_seconds.code,
    cast(floor(pair_seconds.second / rules.bin_seconds) * rules.bin_seconds as bigint) as bin_second,
    cast(sum(pair_seconds.baseline_errors) as bigint) as baseline_errors,
    cast(sum(pair_seconds.candidate_errors) as bigint) as candidate_errors,
    count(*) as recorded_seconds,
    sum(
        cast(
            case
                when rules.detector = 'mean_difference'
                    then pair_seconds.candidate_errors - pair_seconds.baseline_errors
                when pair_seconds.baseline_errors > 0
                    then
                        cast(pair_seconds.candidate_errors as double)
                        / nullif(pair_seconds.baseline_errors * rules.bin_seconds, 0)
                else 0.05 * rules.bin_seconds
            end as decimal(38, 12)
        )
    ) as recorded_value
from pair_seconds
cross join rules
group by
    rules.rule,
    pair_seconds.pair_id,
    pair_seconds.code,
    cast(floor(pair_seconds.second / rules.bin_seconds) * rules.bin_seconds as bigint)
