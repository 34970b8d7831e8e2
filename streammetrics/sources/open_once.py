"""Opens a file once and reads only the open file, so that it cannot be replaced by a link or pipe meanwhile."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from streammetrics.errors import InputOutputError

LINK = "is a symbolic link; only regular files are read: name what it points to"
DEVICE = "is a pipe, socket or device; only regular files are read"

_DESCRIPTORS = Path("/proc/self/fd")


@contextmanager
def held(path: Path) -> Iterator[Path]:
    """A path that always opens the same open file, even if its own path has been replaced.

    If the system has no such path (macOS), the file's own path.

    Raises:
        InputOutputError: it is no regular file.
        OSError: it cannot be opened.
    """
    try:
        # Opening a pipe would block until somebody writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputOutputError(f"{path}: {LINK}") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputOutputError(f"{path}: {DEVICE}")
        yield Path(f"{_DESCRIPTORS}/{descriptor}") if _has_descriptors() else path
    finally:
        os.close(descriptor)


@cache
def _has_descriptors() -> bool:
    return _DESCRIPTORS.exists()


def named(text: str, path: Path) -> str:
    """A message about an open file, with the file's own path."""
    return re.sub(rf"{_DESCRIPTORS}/\d+", lambda _: str(path), text)
