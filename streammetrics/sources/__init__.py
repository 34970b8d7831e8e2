"""Where records come from: finds files and tables, finds what is new in them, and turns bytes into records.

In come the [[source]] and [[exposure]] entries of the settings and the ledger of earlier batches; out go typed records,
rejects with their reasons, and how far each source was read. `ingest` calls it. `doctor`, `report` and `cli` ask it
which sources exist and which were refused, `detect` how many users builds have.
"""
