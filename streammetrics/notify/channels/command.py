"""A command that gets each notice as JSON on stdin."""

import json
import subprocess
from dataclasses import asdict

from streammetrics.config import Channel
from streammetrics.errors import InputOutputError
from streammetrics.notify.messages import Message


def send(channel: Channel, message: Message) -> None:
    """Run the command of the channel; an exit code other than 0 is a failure.

    Raises:
        InputOutputError: it cannot be started, failed, or takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 it is the command that config.toml names
            channel.command,
            input=json.dumps(asdict(message)).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=channel.timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputOutputError(f"{channel.command[0]}: took longer than {channel.timeout_seconds:g} s") from None
    except OSError as error:
        raise InputOutputError(f"{channel.command[0]}: {error.strerror}") from None
    if done.returncode:
        words = done.stderr[-200:].decode("utf-8", "replace").strip()
        raise InputOutputError(f"{channel.command[0]}: exit code {done.returncode}{f': {words}' if words else ''}")
