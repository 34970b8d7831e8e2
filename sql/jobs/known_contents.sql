-- The original batches of contents that a cluster has read, by $fingerprints.
select fingerprint, min(batch_id) as batch_id, arg_min(path, batch_id) as path
from batches
where duplicate_of is null and records > 0 and fingerprint in (select unnest($fingerprints))
group by fingerprint
