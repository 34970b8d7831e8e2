"""The commands: arguments in, exit code out.

In come arguments, signals and the clock; out go data on stdout, messages on stderr and an exit code. `commands`,
`pictures` and `maintenance` hold the commands; `pipeline` has the steps of `run`, `ingest` and `detect`; `outputs`
writes the files of `run`; `schedule` starts `run` at regular times. The console script, `python -m streammetrics` and
`jobs/` call `main`.
"""

from streammetrics.cli.commands import main

__all__ = ["main"]
