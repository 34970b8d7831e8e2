"""Messages on stderr, and on a terminal progress bars for tasks of more than two seconds."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from streammetrics.runtime.logs import Event
from streammetrics.runtime.terminal import printable_lines

SHOW_AFTER_SECONDS = 2.0


class Progress:
    """Messages and bars on stderr. Bars need a terminal, and appear once a task has taken `SHOW_AFTER_SECONDS`.

    Args:
        is_logged: the lines are JSON for a program: all events are written, and no bars.
    """

    def __init__(self, is_terminal: bool, write: Callable[[Event], None], is_logged: bool = False) -> None:
        self.is_terminal = is_terminal
        self._is_logged = is_logged
        self._write = write
        self._bars: Any = None

    @property
    def shows_routine(self) -> bool:
        """Whether routine events are written: on terminals and in JSON logs."""
        return self.is_terminal or self._is_logged

    def say(self, event: Event) -> None:
        """Write an event, above the bar if one is shown."""
        if event.is_routine and not self.shows_routine:
            return
        shown = replace(event, words=printable_lines(event.words))
        if self._bars is not None:
            self._bars.console.print(shown.words, markup=False, highlight=False)
        else:
            self._write(shown)

    @contextmanager
    def task(self, name: str) -> Iterator[Callable[[float, float], None]]:
        """A task; the caller reports (done, total). Until the first report the bar only pulses."""
        if not self.is_terminal or self._is_logged:
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


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import Progress as Bars

    return Bars(console=Console(stderr=True), transient=True)
