"""Writes files atomically: they appear complete or not at all. All renames of the package are here."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from streammetrics.runtime import failpoints, utc

UNFINISHED = ".*.tmp-*"
"""A glob for the folders of unfinished files; killed processes leave them behind."""


_FULL = re.compile("No space left|File too large|[Qq]uota exceeded")
_ROOM = "make room and run it again: what was committed stays, and the next run does the rest"


def is_full(error: object) -> bool:
    """Whether an error, ours or DuckDB's, means that the disk is full, or the file has reached its maximum size."""
    return _FULL.search(str(error)) is not None


def reason(error: object) -> str:
    """The first line of an error, cut because DuckDB quotes records; with a remedy if the disk is full."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = (reason.splitlines() or [""])[0][:300]
    return f"{text}; {_ROOM}" if is_full(error) else text


def is_older(path: Path, seconds: float, now: datetime) -> bool:
    """Whether a file was written at least this long before `now` (naive UTC), or after `now`, or is missing."""
    try:
        written_at = utc.at_second(int(path.stat().st_mtime))
    except OSError:
        return True
    return not timedelta(0) <= now - written_at < timedelta(seconds=seconds)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path of the same name in a temporary folder beside `target`; on success it replaces the target.

    The folder is removed in any case.

    Raises:
        OSError: the disk is full, the target is a pipe or device, or its folder is missing or not writable.
    """
    _require_file(target)
    with TemporaryDirectory(prefix=f".{target.name}.tmp-", dir=target.absolute().parent) as folder:
        unfinished = Path(folder, target.name)
        yield unfinished
        put(unfinished, target)


def put(unfinished: Path, target: Path) -> None:
    """Rename a file over its target; on return its content and name are synced to disk."""
    _require_file(target)
    _persist(unfinished)
    move(unfinished, target)
    _persist(target.absolute().parent)


def move(path: Path, target: Path) -> None:
    """Rename a file whose content is synced already."""
    failpoints.reach("rename.before")
    path.replace(target)
    failpoints.reach("rename.after")


def _require_file(target: Path) -> None:
    """Refuse special files: a rename over /dev/null would remove it, and the reader of a pipe would wait for ever."""
    is_descriptor = target.is_symlink() and target.readlink().is_relative_to("/proc")
    if is_descriptor or (target.exists() and not (target.is_file() or target.is_dir())):
        raise OSError(errno.EINVAL, "is a pipe, socket or device, and only files are replaced; name another")


def _persist(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
