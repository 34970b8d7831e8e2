"""`generate` and `backtest`: synthetic streams with known increases, and history judged again.

In comes a scenario or a span of the store's history; out go a stream with its truth beside it, or the incidents that
would have been reported and the false alarms to expect. The store is not changed. `cli` calls both.
"""
