"""Where records come from: which files and tables there are, what of them is new, and how bytes become records.

In come the [[source]] and [[exposure]] entries of the settings and what earlier batches read; out go typed records,
rejects with their reasons, and how far each source was read. `ingest` calls it; `doctor`, `report` and `cli` get
from it which sources there are and which were refused, `detect` the users of builds.
"""
