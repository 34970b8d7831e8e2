"""Events on stderr, a line each: words alone, or with time, level, run and name for whoever collects logs.

Which of them is chosen once a process (`configure`); until then they are words.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime

from streammetrics.errors import UsageError

STYLES = ("words", "text", "json")

_logger = logging.getLogger("streammetrics")


class Event(str):
    """The words of an event, and what else is to be known of it.

    Args:
        name: what happened, such as `ingest.loaded`; the same for all of its kind.
        level: `logging.INFO`, `WARNING` or `ERROR`.
        is_routine: not worth a line in the mail that cron sends.
        fields: figures and names that the words tell of, for machines.
    """

    name: str
    level: int
    is_routine: bool
    fields: dict[str, object]

    def __new__(
        cls, words: str, name: str = "told", level: int = logging.INFO, is_routine: bool = False, **fields: object
    ) -> "Event":
        event = super().__new__(cls, words)
        event.name, event.level, event.is_routine, event.fields = name, level, is_routine, fields
        return event

    def worded(self, words: str) -> "Event":
        """The same event in other words."""
        return Event(words, self.name, self.level, self.is_routine, **self.fields)


def configure(style: str) -> None:
    """Choose one of `STYLES` for this process, and give its lines the run that they belong to.

    Raises:
        UsageError: there is no such style.
    """
    if style not in STYLES:
        raise UsageError(f"--log-format {style}: is not a format; {', '.join(STYLES)} are")
    handler = logging.StreamHandler(sys.stderr)
    if style != "words":
        run = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
        handler.setFormatter(_Json(run) if style == "json" else _Text(run))
    _logger.handlers[:] = [handler]
    _logger.propagate = False
    _logger.setLevel(logging.INFO)


def style() -> str:
    """The style that was chosen."""
    formatter = _logger.handlers[0].formatter if _logger.handlers else None
    return "json" if isinstance(formatter, _Json) else "text" if isinstance(formatter, _Text) else "words"


def write(event: Event) -> None:
    """A line to stderr."""
    if not _logger.handlers:
        configure("words")
    _logger.log(event.level, "%s", event, extra={"event": event})


class _OfRun(logging.Formatter):
    """What tells of each event the run that it belongs to."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run


class _Text(_OfRun):
    """`2026-11-23T12:00:00.000Z WARNING 20261123T120000-4711 ingest.loaded words`: every event is one line."""

    def format(self, record: logging.LogRecord) -> str:
        event: Event = record.__dict__["event"]
        words = " | ".join(event.splitlines())
        return f"{_time(record)} {record.levelname:<7} {self.run} {event.name} {words}"


class _Json(_OfRun):
    """The same as an object: ts, level, event, run, message, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        event: Event = record.__dict__["event"]
        head = {"ts": _time(record), "level": record.levelname.lower(), "event": event.name, "run": self.run}
        return json.dumps({**event.fields, **head, "message": str(event)}, default=str)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
