"""Loads records into the store, and unloads them.

In come records and rejects of `sources`. One transaction stores a batch's events, counters, rejects, ledger row, builds
and codes, or nothing. `unload` removes batches. `cli` calls it; `doctor` uses it to recount.

The path of a record: `files` finds its file, `loading` opens the file and reads its new part with a reader of
`sources`, `base_tables` parses, stores and counts the records, and `transaction` commits them with their ledger row.
`databases` reads rows of databases, which are parsed, stored and counted in the same way.
"""
