"""Commands that messages suggest, completed so that they work when they are copied.

A message names a command in backticks, such as `streammetrics status`. Which file of settings the process was given
is known only where messages are printed.
"""

import re
import shlex
from pathlib import Path

_COMMAND = re.compile(r"`(streammetrics [a-z][^`]*)`")

_settings: Path | None = None


def configure(path: Path | None) -> None:
    """Suggest commands with `--config path` from now on in this process; None: the default settings apply to them."""
    global _settings
    _settings = path


def command(text: str) -> str:
    """A command, such as `streammetrics status`, with the settings added."""
    return text if _settings is None else f"{text} --config {shlex.quote(str(_settings))}"


def complete(text: str) -> str:
    """The text with the settings added to each command in it."""
    return _COMMAND.sub(lambda found: f"`{command(found[1])}`", text)
