"""What holds for the whole process that a command runs in."""

import atexit
import gc
import io
import os
import sys


def prepare() -> None:
    """Make the process ready for any command, before it imports what it needs."""
    # Where pandas is installed, DuckDB imports it with the first parameter that is bound: 0.3 s and 80 MB for nothing.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    # At its end Python looks through all that was imported for what could be freed: a tenth of a second for nothing.
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        # Codes and builds are any text, and cron's locale may know ASCII alone.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def forget_stdout() -> None:
    """Where nothing can be written to stdout: what Python still holds of it must not fail at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
