"""Progress on a terminal for whatever takes more than two seconds; elsewhere only words, on stderr."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streammetrics.narrate import printable

SHOW_AFTER_SECONDS = 2.0


class Progress:
    """Words and bars on stderr. Bars need a terminal, and appear only once a task has taken two seconds."""

    def __init__(self, is_terminal: bool, write: Callable[[str], None]) -> None:
        self.is_terminal = is_terminal
        self._write = write
        self._bars: Any = None

    def say(self, text: str) -> None:
        """A line of words, above a bar that may be shown."""
        if self._bars is not None:
            self._bars.console.print(printable_lines(text), markup=False, highlight=False)
        else:
            self._write(printable_lines(text))

    @contextmanager
    def task(self, name: str) -> Iterator[Callable[[float, float], None]]:
        """A piece of work; the caller tells (done, total) as it goes on."""
        started = time.monotonic()
        shown: Any = None

        def advance(done: float, total: float) -> None:
            nonlocal shown
            if self.is_terminal and time.monotonic() - started >= SHOW_AFTER_SECONDS:
                if self._bars is None:
                    self._bars = _bars()
                    self._bars.start()
                if shown is None:
                    shown = self._bars.add_task(name, total=total)
                self._bars.update(shown, completed=done, total=total)

        try:
            yield advance
        finally:
            if self._bars is not None:
                self._bars.stop()
                self._bars = None


def printable_lines(text: str) -> str:
    """What a terminal would obey is shown, line by line."""
    return "\n".join(printable(line) for line in text.splitlines())


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import Progress as Bars

    return Bars(console=Console(stderr=True), transient=True)
