"""Events on stderr, one line each: plain text, or JSON for log collectors.

`configure` chooses the style once per process; the default is plain text.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Style = Literal["words", "json"]

_logger = logging.getLogger("streammetrics")


@dataclass(frozen=True)
class Event:
    """An event.

    Args:
        words: the message for people.
        name: such as `ingest.loaded`; the same for all events of its kind.
        level: `logging.INFO`, `WARNING` or `ERROR`.
        is_routine: not printed if stderr is neither a terminal nor a log, so that cron does not mail it.
        fields: the figures and names in the message, for programs.
    """

    words: str
    name: str = "message"
    level: int = logging.INFO
    is_routine: bool = False
    fields: Mapping[str, object] = field(default_factory=dict)


def configure(style: Style) -> None:
    """Choose the style of this process; JSON lines contain the id of the run."""
    handler = logging.StreamHandler(sys.stderr)
    if style == "json":
        handler.setFormatter(_Json(f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"))
    _logger.handlers[:] = [handler]
    _logger.propagate = False
    _logger.setLevel(logging.INFO)


def style() -> Style:
    """The style that was chosen."""
    return "json" if any(isinstance(handler.formatter, _Json) for handler in _logger.handlers) else "words"


def write(event: Event) -> None:
    """Write an event to stderr."""
    if not _logger.handlers:
        configure("words")
    _logger.log(event.level, "%s", event.words, extra={"event": event})


class _Json(logging.Formatter):
    """A JSON object: ts, level, event, run, message, and the event's own fields."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run

    def format(self, record: logging.LogRecord) -> str:
        event: Event = record.__dict__["event"]
        ts = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {"ts": ts, "level": record.levelname.lower(), "event": event.name, "run": self.run}
        return json.dumps({**event.fields, **head, "message": event.words}, default=str)
