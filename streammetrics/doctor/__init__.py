"""Whether the store is what its ledger says, and what can be made anew.

In comes a store, damaged ones included; out go findings, each with what is wrong and what to do, and on request tables
that were made anew from the records. `cli` calls it. The checks are files of `sql/checks/` that return no row.
"""
