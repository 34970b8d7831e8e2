"""SIGTERM ends a command as Ctrl-C does: what is not committed is rolled back, what is unfinished is removed.

Python handles a signal between two of its own steps, and while DuckDB works only when DuckDB checks for it. So a
thread watches as well: it ends a process that has not unwound some seconds after SIGTERM. That is as safe for the
store as a kill.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

UNWIND_SECONDS = 5.0
"""Less than the 10 s after which `schedule` kills, and systemd's 90 s."""

EXIT_TERMINATED = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """SIGTERM came. Not an Exception, so that code that handles failures does not catch it."""


def install(give_up: Callable[[], None], unwind_seconds: float = UNWIND_SECONDS) -> None:
    """Make SIGTERM raise `Terminated` in the main thread; what has not ended so much later gives up.

    From the main thread only.
    """

    def terminate(_number: int, _frame: FrameType | None) -> None:
        raise Terminated(EXIT_TERMINATED)

    def watch() -> None:
        # A schedule takes the signal itself, and as long as its job does.
        while os.read(reader, 1)[0] != signal.SIGTERM or signal.getsignal(signal.SIGTERM) is not terminate:
            pass
        time.sleep(unwind_seconds)
        give_up()
        os._exit(EXIT_TERMINATED)

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # The bytes are the numbers of the signals, written at once, whatever Python is busy with.
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, terminate)
    logging.getLogger("sqlalchemy.pool.impl.NullPool").addFilter(_is_failure)
    threading.Thread(target=watch, daemon=True).start()


def end(exit_code: int) -> NoReturn:
    """End the process at once, with what it has printed.

    Where a statement was interrupted, DuckDB's threads may still work for it. Python takes itself down under them at
    its own end, and a process was seen to crash there (SIGSEGV in place of 143) after it had unwound.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(exit_code)


def _is_failure(record: logging.LogRecord) -> bool:
    """Whether a pool logs an error, and not the end that came while it closed a connection."""
    raised = record.exc_info[1] if record.exc_info else None
    return raised is None or isinstance(raised, Exception)


def cause(error: BaseException) -> BaseException | None:
    """The requested end that DuckDB reports as an error: `Terminated` or KeyboardInterrupt."""
    behind = error.__cause__ or error.__context__
    return behind if behind is not None and not isinstance(behind, Exception) else None
