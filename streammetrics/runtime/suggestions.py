"""Commands that messages suggest, completed so that they work when they are copied.

A message names a command in backticks, such as `streammetrics status`. Which file of settings the process was given
is known only where messages are printed.
"""

import re
import shlex
from pathlib import Path

_COMMAND = re.compile(r"`(streammetrics [a-z][^`]*)`")

_settings: Path | None = None
_is_default = False


def configure(path: Path | None, *, is_default: bool = False) -> None:
    """Suggest commands with `--config path` from now on in this process; None: it has no file of settings.

    Args:
        is_default: commands find the file by themselves if they are started in this folder.
    """
    global _settings, _is_default
    _settings, _is_default = path, is_default


def command(text: str) -> str:
    """A command, such as `streammetrics status`, with the settings added, for this folder."""
    return text if _settings is None or _is_default else f"{text} --config {shlex.quote(str(_settings))}"


def command_anywhere(text: str) -> str:
    """The same for whoever reads it elsewhere: with the whole path of the settings."""
    return text if _settings is None else f"{text} --config {shlex.quote(str(_settings.absolute()))}"


def complete(text: str) -> str:
    """The text with the settings added to each command in it."""
    return _COMMAND.sub(lambda found: f"`{command(found[1])}`", text)
