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

# A folder may be one that we cannot list; macOS has no flag for that.
_FOLDER = os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY)


@contextmanager
def held(path: Path, base: Path | None = None) -> Iterator[Path]:
    """A path that always opens the same open file, even if its own path has been replaced.

    If the system has no such path (macOS), the file's own path. `base`: see `folder_of`.

    Raises:
        InputOutputError: it is no regular file, or behind a link.
        OSError: it cannot be opened.
    """
    with folder_of(path, base) as folder:
        # Opening a pipe would block until somebody writes to it.
        descriptor = _open(path, folder / path.name, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputOutputError(f"{path}: {DEVICE}")
        yield _lasting(descriptor, path)
    finally:
        os.close(descriptor)


@contextmanager
def folder_of(path: Path, base: Path | None = None) -> Iterator[Path]:
    """As `held`, of the folder that a file lies in; below `base`, by default that folder itself, none may be a link.

    Raises:
        InputOutputError: one is.
        OSError: one cannot be opened.
    """
    place = base or path.parent
    descriptor = os.open(place, _FOLDER)
    try:
        for part in path.parent.relative_to(place).parts:
            place /= part
            inner = _open(place, Path(part), _FOLDER, descriptor)
            os.close(descriptor)
            descriptor = inner
        yield _lasting(descriptor, path.parent)
    finally:
        os.close(descriptor)


def _open(path: Path, place: Path, flags: int, within: int | None = None) -> int:
    """What lies at `place`, unless it is a link; `path` is how messages name it."""
    try:
        return os.open(place, flags | os.O_NOFOLLOW, dir_fd=within)
    except OSError as error:
        # A link is no folder either.
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise InputOutputError(f"{path}: {LINK}") from None
        raise


def _lasting(descriptor: int, path: Path) -> Path:
    return Path(f"{_DESCRIPTORS}/{descriptor}") if _has_descriptors() else path


@cache
def _has_descriptors() -> bool:
    return _DESCRIPTORS.exists()


def named(text: str, path: Path) -> str:
    """A message about an open file, with the file's own path."""
    return re.sub(rf"{_DESCRIPTORS}/\d+", lambda _: str(path), text)
