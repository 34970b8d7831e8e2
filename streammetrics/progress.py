"""Progress on a terminal for whatever takes more than two seconds; elsewhere only words, on stderr."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streammetrics.narrate import printable

SHOW_AFTER_SECONDS = 2.0


class Progress:
    """Words and bars on stderr. Bars need a terminal, and appear once a task has taken `SHOW_AFTER_SECONDS`."""

    def __init__(self, is_terminal: bool, write: Callable[[str], None]) -> None:
        self.is_terminal = is_terminal
        self._write = write
        self._bars: Any = None

    def say(self, text: str) -> None:
        """A line of words, above a bar that may be shown."""
        bars = self._bars
        if bars is not None:
            bars.console.print(printable_lines(text), markup=False, highlight=False)
        else:
            self._write(printable_lines(text))

    @contextmanager
    def task(self, name: str) -> Iterator[Callable[[float, float], None]]:
        """A piece of work; the caller tells (done, total) where it knows, and until then the bar only moves."""
        if not self.is_terminal:
            yield lambda done, total: None
            return
        bars = _bars()
        shown = bars.add_task(name, total=None)

        def show() -> None:
            bars.start()
            self._bars = bars

        timer = threading.Timer(SHOW_AFTER_SECONDS, show)
        timer.start()
        try:
            yield lambda done, total: bars.update(shown, completed=done, total=total)
        finally:
            timer.cancel()
            timer.join()
            self._bars = None
            bars.stop()


def printable_lines(text: str) -> str:
    """What a terminal would obey is shown, line by line."""
    return "\n".join(printable(line) for line in text.splitlines())


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import Progress as Bars

    return Bars(console=Console(stderr=True), transient=True)
