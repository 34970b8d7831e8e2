"""One detection pass: what waits is judged, and alerts, incidents and progress are brought up to date.

In come counters and settings of the store; out go new, revised and retracted alerts, and a row of `runs`. What is
significant is decided in `sql/views/`. `cli` calls it for passes, `simulate` for histories, and `report` asks it which
incidents changed.
"""
