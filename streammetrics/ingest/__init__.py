"""Records into the store, and out of it again.

In come records and rejects of `sources`; in one transaction each batch leaves its events, counters, rejects, ledger
row, builds and codes, or nothing. `unload` takes batches out again. `cli` calls it; `doctor` has it count anew.
"""
