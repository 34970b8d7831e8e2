"""The commands: arguments in, exit code out.

In come arguments, signals and the clock; out go data on stdout, words on stderr and an exit code. `commands`,
`pictures` and `maintenance` hold the commands, `pipeline` what `run`, `ingest` and `detect` do step by step, `outputs`
what `run` makes last, `schedule` starts them on a clock. The console script, `python -m streammetrics` and `jobs/` call
`main`.
"""

from streammetrics.cli.commands import main

__all__ = ["main"]
