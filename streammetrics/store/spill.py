"""Where DuckDB puts what memory does not hold: a folder for each process, beside the store, and a bound on its size.

DuckDB's own default is one folder a store, `<store>.tmp`. Processes that read the store at once then write over each
other's files there: they crash, or return wrong results.
"""

import fcntl
import glob
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

_SHARE = 4
"""A process may fill one in so many parts of what was free on the disk when it opened the store."""


@contextmanager
def folder(store: Path) -> Iterator[Path | None]:
    """A new folder beside the store, which goes at the end; None where none can be made, as for who may only read.

    Folders that killed processes left behind are removed first.
    """
    for left in store.parent.glob(f"{glob.escape(store.name)}.spill-????????"):
        _remove_if_left(left)
    try:
        made, lock = _made(store)
    except OSError:
        yield None
        return
    try:
        yield made
    finally:
        # Threads of an interrupted statement may still write there: what is left then, a later process removes.
        with suppress(OSError):
            _remove(made)
        os.close(lock)


def bound(made: Path) -> str:
    """A statement that bounds what DuckDB writes there. As a setting of `connect` DuckDB 1.5 does not heed it."""
    return f"set max_temp_directory_size = '{shutil.disk_usage(made).free // _SHARE // 1024 + 1}KiB'"


def exceeded(error: object) -> str | None:
    """In words, that a statement would have filled more than its part of the disk; None for other errors."""
    allowed = re.search(r"/([\d.]+ \w+) used\)\.\s+This limit was set by the 'max_temp_directory_size'", str(error))
    if allowed is None:
        return None
    return (
        f"the memory limit is reached, and what memory does not hold needs more than {allowed[1]} on disk, a quarter "
        "of what was free: make room on the disk, or raise [store] memory_limit"
    )


def _made(store: Path) -> tuple[Path, int]:
    """A new folder and a descriptor with a lock on it, which the system releases when the process ends, however."""
    while True:
        made = Path(mkdtemp(prefix=f"{store.name}.spill-", dir=store.parent))
        # Until it is locked another process may take it for left behind.
        with suppress(FileNotFoundError):
            lock = os.open(made, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                made.stat()
            except OSError:
                os.close(lock)
                made.rmdir()
                raise
            return made, lock


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
        finally:
            os.close(lock)


def _remove(folder: Path) -> None:
    """Only what DuckDB puts there, so that a folder of the user's own that is called alike stays."""
    for path in folder.glob("duckdb_temp_*"):
        path.unlink(missing_ok=True)
    folder.rmdir()
