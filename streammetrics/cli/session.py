"""What all commands share: the settings, the store, the clock, and where messages and data go."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from streammetrics.config import Config
from streammetrics.errors import StreammetricsError
from streammetrics.runtime import interrupts, suggestions
from streammetrics.runtime.logs import Event
from streammetrics.store.connection import Store, explained

if TYPE_CHECKING:
    from streammetrics.runtime.progress import Progress


def utc_now() -> datetime:
    """The clock of jobs: naive UTC, as the store keeps times."""
    return datetime.now(UTC).replace(tzinfo=None)


print_line = partial(print, flush=True)
"""A line to stdout."""


@dataclass(frozen=True)
class Session:
    """What all commands share: the settings, the clock, and where messages and data go.

    `accept_clock`: `--accept-clock` was given. `is_clock_doubted`: the clock is not trusted, so retention waits.
    """

    config: Config
    progress: "Progress"
    out: Callable[[str], None] = print_line
    clock: Callable[[], datetime] = utc_now
    as_json: bool = False
    accept_clock: bool = False
    is_clock_doubted: bool = False

    @property
    def store(self) -> Store:
        settings = self.config.store
        return Store(self.config.store_path, settings.lock_wait_seconds, settings.memory_limit)

    def say(
        self, text: str, name: str = "message", level: int = logging.INFO, is_routine: bool = False, **fields: object
    ) -> None:
        """Print a message; the arguments are those of `Event`."""
        self.progress.say(Event(suggestions.complete(text), name, level, is_routine, fields))

    def show(self, text: str) -> None:
        """Print text on stdout; commands in it are completed."""
        self.out(suggestions.complete(text))


def exit_code_of(error: BaseException) -> int:
    """The exit code for an error of this program, DuckDB or the system, or for a signal."""
    ended = interrupts.cause(error)
    if isinstance(ended, interrupts.Terminated):
        return interrupts.EXIT_TERMINATED
    failure = error if isinstance(error, StreammetricsError) else explained(error)
    return 1 if failure is None else failure.exit_code
