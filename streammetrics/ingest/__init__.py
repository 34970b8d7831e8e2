"""Records into the store, and out of it again.

In come records and rejects of `sources`; in one transaction each batch leaves its events, counters, rejects, ledger
row, builds and codes, or nothing. `unload` takes batches out again. `cli` calls it; `doctor` has it count again.

The way of a record: `files` discovers its file, `loading` opens it and reads what is new by a reader of `sources`,
`base_tables` types, loads and counts it, and `transaction` commits it with its row of the ledger. Rows of a database
come by `databases`, and are typed, loaded and counted alike.
"""
