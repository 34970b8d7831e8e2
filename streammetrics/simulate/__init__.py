"""Synthetic streams with known truth, and history judged again: `generate` and `backtest`.

In comes a scenario or a span of the store's history; out go a stream with its truth beside it, or the incidents that
would have been reported and the false alarms to expect. The store itself stays as it was. `cli` calls both.
"""
