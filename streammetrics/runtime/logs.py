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


def write(text: str, name: str = "message", level: int = logging.INFO, **fields: object) -> None:
    """An event as a line to stderr.

    Args:
        text: the event in words, for people.
        name: what happened, such as `ingest.loaded`; the same for all of its kind.
        level: `logging.INFO`, `WARNING` or `ERROR`.
        fields: the figures and names of the text, for programs.
    """
    if not _logger.handlers:
        configure("words")
    _logger.log(level, "%s", text, extra={"event": name, "fields": fields})


class _OfRun(logging.Formatter):
    """What tells of each event the run that it belongs to."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run


class _Text(_OfRun):
    """`2026-11-23T12:00:00.000Z WARNING 20261123T120000-4711 ingest.loaded words`: every event is one line."""

    def format(self, record: logging.LogRecord) -> str:
        words = " | ".join(record.getMessage().splitlines())
        return f"{_time(record)} {record.levelname:<7} {self.run} {record.__dict__['event']} {words}"


class _Json(_OfRun):
    """The same as an object: ts, level, event, run, message, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        name, fields = record.__dict__["event"], record.__dict__["fields"]
        head = {"ts": _time(record), "level": record.levelname.lower(), "event": name, "run": self.run}
        return json.dumps({**fields, **head, "message": record.getMessage()}, default=str)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
