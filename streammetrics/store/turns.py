"""Who may enter the store, and in which order: the system's locks on two files beside it.

    <store>.queue   locked by who is next: readers cannot keep a writer out, nor writers a reader
    <store>.lock    locked by the writer inside, whose process id it holds, beside DuckDB's own lock on the store: that
                    is lost when the process opens and closes the store's file in any other way

The system releases both when a process ends, however it ends. Who waits holds no lock that keeps others out: DuckDB's
lock is tried for, never waited for, and who is next but does not try any more, as a process that was stopped, loses
its place.
"""

import fcntl
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from streammetrics.errors import InputOutputError, StoreBusyError
from streammetrics.runtime import atomic_files

T = TypeVar("T")

STILL_SECONDS = 1.0
"""Who is next tries at least ten times a second; for how long it may not have tried before it loses its place."""

_RETRY_SECONDS = (0.02, 0.1)


class TakenError(Exception):
    """Another process has the store; its id, where that is known."""

    def __init__(self, holder: int | None) -> None:
        super().__init__(holder)
        self.holder = holder


class Turn:
    """The way of one process into the store and out.

    Args:
        store: the DuckDB file.
        wait_seconds: how long to wait for others.
    """

    def __init__(self, store: Path, wait_seconds: float) -> None:
        self._store = store
        self._wait_seconds = wait_seconds
        self._deadline = time.monotonic() + wait_seconds
        self._holder: int | None = None
        self._lock: int | None = None

    def __enter__(self) -> "Turn":
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            with suppress(OSError):
                os.ftruncate(self._lock, 0)
            os.close(self._lock)

    def enter(self, connect: Callable[[], T], *, alone: bool) -> T:
        """Wait for those before us and for those inside; what `connect` returns, once it does not raise `TakenError`.

        Args:
            alone: for writing: until the end nobody of ours enters, even where DuckDB's lock is lost.

        Raises:
            StoreBusyError: others had the store for longer than `wait_seconds`.
            InputOutputError: there is no lock to be had for writing.
        """
        place: int | None = None
        try:
            place = self._queue()
        except OSError as error:
            # Who may not write here may read all the same, without a place in the queue.
            if alone:
                raise self._unlockable(error) from None
        try:
            return self._wait(lambda: self._attempt(connect, place))
        finally:
            if place is not None:
                os.close(place)

    def claim(self) -> None:
        """Lock the store for writing, once it is open.

        Raises:
            InputOutputError: there is no lock to be had.
            StoreBusyError: another writer has it, and DuckDB's lock is lost.
        """
        try:
            lock = self._lock = os.open(f"{self._store}.lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise self._unlockable(error) from None
        # Others look at it all the time, for an instant each.
        self._deadline = max(self._deadline, time.monotonic() + STILL_SECONDS)
        self._wait(lambda: _claimed(lock))

    def _queue(self) -> int | None:
        """Wait until nobody is before us: the place, as a descriptor; None when the time is over."""
        path = Path(f"{self._store}.queue")
        seen, since = (0, 0), time.monotonic()
        while True:
            place = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            if locked(place, fcntl.LOCK_EX):
                return place
            found = os.fstat(place)
            os.close(place)
            if seen != (found.st_ino, found.st_mtime_ns):
                seen, since = (found.st_ino, found.st_mtime_ns), time.monotonic()
            elif time.monotonic() - since > STILL_SECONDS:
                try:
                    path.unlink(missing_ok=True)
                except PermissionError:
                    # In another user's folder the place cannot be taken away: go on without one.
                    return None
            if time.monotonic() >= self._deadline:
                return None
            _pause()

    def _attempt(self, connect: Callable[[], T], place: int | None) -> T:
        if place is not None:
            with suppress(OSError):
                # Who is behind us sees that we try.
                os.utime(place)
        self._refuse_writer()
        return connect()

    def _refuse_writer(self) -> None:
        """A look, no lock that stays: a process that is stopped here keeps nobody out.

        Raises:
            TakenError: a writer of ours is inside.
        """
        try:
            lock = os.open(f"{self._store}.lock", os.O_RDONLY)
        except OSError:
            return
        try:
            if not locked(lock, fcntl.LOCK_SH):
                raise TakenError(_holder(lock))
        finally:
            os.close(lock)

    def _wait(self, attempt: Callable[[], T]) -> T:
        while True:
            try:
                return attempt()
            except TakenError as taken:
                self._holder = taken.holder
            if time.monotonic() >= self._deadline:
                raise self._busy()
            _pause()

    def _busy(self) -> StoreBusyError:
        who = "another process" if self._holder is None else f"process {self._holder}"
        return StoreBusyError(f"{self._store}: {who} has held the store for {self._wait_seconds:g} s; try again later")

    def _unlockable(self, error: OSError) -> InputOutputError:
        return InputOutputError(f"{self._store}: cannot be locked: {atomic_files.reason(error)}")


def locked(descriptor: int, kind: int) -> bool:
    """Whether the system's lock on an open file could be had at once; `kind`: LOCK_EX or LOCK_SH."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _claimed(lock: int) -> None:
    if not locked(lock, fcntl.LOCK_EX):
        raise TakenError(_holder(lock))
    # In place and of one length, for others read it. On a full disk the id stays unknown.
    with suppress(OSError):
        os.pwrite(lock, b"%-10d" % os.getpid(), 0)


def _holder(lock: int) -> int | None:
    """The process id in a lock's file; None where the holder could not write it."""
    with suppress(ValueError):
        return int(os.pread(lock, 10, 0))
    return None


def _pause() -> None:
    time.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311 jitter, not a secret
