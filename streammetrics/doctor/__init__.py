"""Checks the store against its ledger, and rebuilds tables that are derived from the records.

In comes a store, damaged ones included; out go findings, each with what is wrong and what to do, and on request tables
rebuilt from the records. `cli` calls it. The checks are files of `sql/checks/` that return no row.
"""
