"""One detection pass: judges new bins, and updates alerts, incidents and progress.

In come counters and settings of the store; out go new, revised and retracted alerts, and a row of `runs`. What is
significant is decided in `sql/views/`. `cli` calls it for passes, `simulate` for histories, and `report` to find
the incidents that changed.
"""
