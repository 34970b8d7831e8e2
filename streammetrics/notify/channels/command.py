"""A command that gets each notice as JSON on stdin."""

import json
import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import asdict

from streammetrics.config import Channel
from streammetrics.errors import InputOutputError
from streammetrics.notify.messages import Message


def send(channel: Channel, message: Message) -> None:
    """Run the command of the channel; an exit code other than 0 is a failure. Its background processes are not awaited.

    Raises:
        InputOutputError: it cannot be started, failed, or takes too long.
    """
    name = channel.command[0]
    # Files, not pipes: a background process of the command would keep a pipe open.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as words:
        given.write(f"{json.dumps(asdict(message))}\n".encode())
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 it is the command that config.toml names
                channel.command, stdin=given, stdout=subprocess.DEVNULL, stderr=words, start_new_session=True
            )
        except OSError as error:
            raise InputOutputError(f"{name}: {error.strerror}") from None
        try:
            code = process.wait(channel.timeout_seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise InputOutputError(f"{name}: took longer than {channel.timeout_seconds:g} s") from None
        if code:
            words.seek(0)
            text = words.read()[-200:].decode("utf-8", "replace").strip()
            raise InputOutputError(f"{name}: exit code {code}{f': {text}' if text else ''}")
