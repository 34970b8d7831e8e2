"""Completes commands in messages, so that they work when they are copied.

A message names a command in backticks, such as `streammetrics status`. The settings file of the process is added when
the message is printed.
"""

import re
import shlex
from pathlib import Path

_COMMAND = re.compile(r"`(streammetrics [a-z][^`]*)`")

_settings: Path | None = None
_is_default = False


def configure(path: Path | None, *, is_default: bool = False) -> None:
    """Complete commands of this process with `--config path`; None: it has no settings file.

    Args:
        is_default: commands that are started in this folder find the file themselves.
    """
    global _settings, _is_default
    _settings, _is_default = path, is_default


def command(text: str) -> str:
    """A command, such as `streammetrics status`, with the settings added, for this folder."""
    return text if _settings is None or _is_default else f"{text} --config {shlex.quote(str(_settings))}"


def command_anywhere(text: str) -> str:
    """The command with the absolute path of the settings, for readers elsewhere."""
    return text if _settings is None else f"{text} --config {shlex.quote(str(_settings.absolute()))}"


def complete(text: str) -> str:
    """The text with the settings added to each command in it."""
    return _COMMAND.sub(lambda found: f"`{command(found[1])}`", text)
