-- Insert stretches that were not judged, unless they exist. Reads `silent`.
insert into pauses
select baseline, candidate, from_ts, until_ts from silent anti join pauses using (baseline, candidate, until_ts)
