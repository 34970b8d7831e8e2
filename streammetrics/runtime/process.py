"""Prepares the process that a command runs in."""

import atexit
import gc
import io
import os
import sys


def prepare() -> None:
    """Make the process ready for any command, before it imports what it needs."""
    # If pandas is installed, DuckDB imports it when the first parameter is bound, which wastes 0.3 s and 80 MB.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    # At exit Python's garbage collector visits all imported objects, which wastes a tenth of a second.
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        # Codes and builds may be any text, but cron's locale may be ASCII.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def forget_stdout() -> None:
    """Discard buffered output if stdout cannot be written, so that Python's flush at exit does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
