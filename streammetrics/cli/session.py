"""What all commands share: the settings, the store, the clock, and where words and data go."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from streammetrics.config import Config
from streammetrics.store.connection import Store

if TYPE_CHECKING:
    from streammetrics.runtime.progress import Progress


def utc_now() -> datetime:
    """The clock of jobs: naive UTC, as the store keeps times."""
    return datetime.now(UTC).replace(tzinfo=None)


def print_line(text: str) -> None:
    """A line to stdout."""
    print(text, flush=True)


@dataclass(frozen=True)
class Session:
    """What all commands share: the settings, the clock, and where words and data go.

    `accept_clock`: a person says that the clock is right. `is_clock_doubted`: nothing is removed by this clock.
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

    @property
    def say(self) -> Callable[..., None]:
        """The one way out for words: `Progress.say`."""
        return self.progress.say
