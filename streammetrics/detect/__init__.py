"""One detection pass: judges new bins, and updates alerts, incidents and progress.

In come counters and settings of the store; out go new, revised and retracted alerts, and a row of `runs`. `sql/views/`
decides what is significant. `cli` calls it for passes, `simulate` to judge copied history, and `report` to find the
incidents that changed.
"""
