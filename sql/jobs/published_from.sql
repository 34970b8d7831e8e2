-- The row `published`: the time range of the records, the last pass and batch, and the basis of the bins: SQL of the
-- views, rules, and $relations, because a file may lack bins.
with known as (select string_agg(distinct settings_hash, ' ' order by settings_hash) as settings_hashes from rules)

select
    cast(null as timestamp) as published_at, cast(null as double) as seconds, cast($since as timestamp) as since_ts,
    cast($until as timestamp) as until_ts, max(runs.run_id) as run_id,
    arg_max(runs.finished_at, runs.run_id) as run_finished_at,
    (select coalesce(max(batch_id), 0) from batches) as batch_id,
    md5(concat_ws(' ', any_value(store_info.views_hash), any_value(known.settings_hashes), $relations)) as basis
from store_info cross join known left join runs on true
