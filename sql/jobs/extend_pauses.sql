-- A pause that continues stays one row, over any number of passes.
update pauses
set until_ts = silent.until_ts
from silent
where pauses.baseline = silent.baseline and pauses.candidate = silent.candidate and pauses.until_ts = silent.from_ts
