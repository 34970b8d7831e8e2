-- The promised rate of a rule, summed over all codes of the pairs that are compared now.
with parties as (
    select baseline as build from pairs where is_current
    union distinct
    select candidate as build from pairs where is_current
    union distinct
    select build from earlier
),

compared as (select count(distinct code) as codes from codes where build in (select parties.build from parties))

select
    rules.rule, round(pow(10, any_value(rules.threshold)) * any_value(rules.bin_seconds) / 86400, 6) as days_per_code,
    compared.codes
from rules cross join compared
where rules.detector = 'sequential' and compared.codes > 0
group by rules.rule, compared.codes
order by rules.rule
