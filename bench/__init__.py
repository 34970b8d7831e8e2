"""What the work costs, as ratios in one run: `python -m bench`. Budgets and figures seen are in docs/performance.md."""
