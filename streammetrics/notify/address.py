"""The URL of a channel, from the settings, the environment or a file."""

import os
from collections.abc import Mapping

from streammetrics.config import Channel, Config
from streammetrics.errors import InputOutputError


def url(config: Config, channel: Channel, environ: Mapping[str, str] = os.environ) -> str:
    """The URL of a channel, which may hold a password; a command has none.

    Raises:
        InputOutputError: the environment variable or the file is missing or empty.
    """
    if channel.kind == "command":
        return ""
    if channel.url is not None:
        return channel.url.get_secret_value()
    if channel.url_env is not None:
        if not (found := environ.get(channel.url_env, "").strip()):
            raise InputOutputError(f"url_env: there is no environment variable {channel.url_env}, or it is empty")
        return found
    path = config.resolve(str(channel.url_file))
    try:
        found = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise InputOutputError(f"url_file: {path}: {reason}") from None
    if not found:
        raise InputOutputError(f"url_file: {path}: is empty")
    return found
