"""SIGTERM ends a command like Ctrl-C: open transactions are rolled back, unfinished files are removed.

Python handles a signal between two bytecode steps; while DuckDB works, only when DuckDB checks for signals. So a thread
watches too: it ends a process that is still running some seconds after SIGTERM. For the store that is as safe as a
kill.
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
"""Less than the 10 s after which `schedule` kills a job, and systemd's 90 s."""

EXIT_TERMINATED = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """SIGTERM was received. Not an Exception, so that code that handles failures does not catch it."""


def install(give_up: Callable[[], None], unwind_seconds: float = UNWIND_SECONDS) -> None:
    """Make SIGTERM raise `Terminated` in the main thread; a process that has not ended some seconds later is ended.

    Call it from the main thread.
    """

    def terminate(_number: int, _frame: FrameType | None) -> None:
        raise Terminated(EXIT_TERMINATED)

    def watch() -> None:
        # `schedule` handles the signal itself, and may take as long as its job.
        while os.read(reader, 1)[0] != signal.SIGTERM or signal.getsignal(signal.SIGTERM) is not terminate:
            pass
        time.sleep(unwind_seconds)
        give_up()
        os._exit(EXIT_TERMINATED)

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # The bytes are signal numbers; the C handler writes them at once, even while Python is busy.
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, terminate)
    logging.getLogger("sqlalchemy.pool.impl.NullPool").addFilter(_is_failure)
    threading.Thread(target=watch, daemon=True).start()


def end(exit_code: int) -> NoReturn:
    """End the process at once, after flushing its output.

    After an interrupted statement DuckDB's threads may still be working. Python's normal shutdown would destroy objects
    that they use: a process crashed there (SIGSEGV instead of exit code 143).
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(exit_code)


def _is_failure(record: logging.LogRecord) -> bool:
    """Whether to keep a log record of a pool: not if it reports a signal that came while it closed a connection."""
    raised = record.exc_info[1] if record.exc_info else None
    return raised is None or isinstance(raised, Exception)


def cause(error: BaseException) -> BaseException | None:
    """The signal behind an error that DuckDB reports: `Terminated` or KeyboardInterrupt."""
    behind = error.__cause__ or error.__context__
    return behind if behind is not None and not isinstance(behind, Exception) else None
