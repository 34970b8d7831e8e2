-- Stretches that were not judged, once each. Reads `silent`.
insert into pauses
select baseline, candidate, from_ts, until_ts from silent anti join pauses using (baseline, candidate, until_ts)
