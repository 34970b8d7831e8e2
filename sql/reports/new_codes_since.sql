-- New codes of those batches, the $most most frequent of each comparison. When a history of many builds is judged for
-- the first time, only the current comparison is of interest.
with found as (
    select
        n.baseline, n.candidate, n.code, n.first_ts, n.baseline_errors, n.candidate_errors, n.candidate_seconds,
        count(*) over (partition by n.baseline, n.candidate) as codes,
        row_number() over (partition by n.baseline, n.candidate order by n.candidate_errors desc, n.code asc) as place
    from new_codes as n
    inner join seen_since using (baseline, candidate)
    inner join pairs using (baseline, candidate)
    inner join codes on n.candidate = codes.build and n.code = codes.code
    where
        codes.repeat_batch_id > coalesce(seen_since.after_batch_id, 0)
        and codes.repeat_batch_id <= seen_since.until_batch_id
        and (seen_since.after_batch_id is not null or pairs.is_current)
)

select baseline, candidate, codes, code, first_ts, baseline_errors, candidate_errors, candidate_seconds
from found
where place <= $most
order by candidate, baseline, place
