"""Finds the unread part of a file: the complete lines after the longest beginning that the ledger knows.

The content shows whether a file was appended to, renamed, copied, cut off or replaced. Names and inodes do not, as
inodes are reused.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.errors import InputOutputError
from streammetrics.sources import delimited
from streammetrics.sources.discovery import SourceFile, day_in
from streammetrics.sources.encoding import portions
from streammetrics.sources.ledger import Boundary, Ledger, settings_of
from streammetrics.sources.open_once import held
from streammetrics.sources.snapshot import HEAD_LINES, LONGEST_QUOTED_BYTES, SMALL_BYTES, Snapshot, heads, open_bytes

CLUSTER = "cluster:"
"""Prefix of the fingerprint of content that a cluster has read."""


@dataclass(frozen=True)
class Opened:
    """A file and its (unpacked) bytes."""

    file: SourceFile
    bytes: Snapshot

    @property
    def is_in_memory(self) -> bool:
        """Whether all bytes were read when it was opened."""
        return self.file.is_text and self.bytes.data is not None

    @property
    def first_line(self) -> str:
        """A key of the first complete line in UTF-8; empty if there is none."""
        return self.heads[1] if len(self.heads) > 1 and self.bytes.codec == "utf-8" else ""

    @cached_property
    def heads(self) -> list[str]:
        return heads(self.bytes.beginning)


@dataclass(frozen=True)
class Tail:
    """The range from `start` to `stop` to read.

    `known`: the batch that ends at `start`. `stale`: batches without accepted records, which are read again with it.
    `former`: the boundary of the path's former, different content. `is_placed`: `known` is recorded for this path
    already.
    """

    opened: Opened
    start: int
    stop: int
    known: Boundary | None = None
    stale: tuple[Boundary, ...] = ()
    former: Boundary | None = None
    is_placed: bool = False
    damaged: tuple[int, ...] = ()

    @property
    def is_read(self) -> bool:
        """Whether nothing waits, not even a line without a line end."""
        return self.start == self.opened.bytes.size

    @property
    def is_small(self) -> bool:
        """Whether it is read in memory, or not at all."""
        return self.start >= self.stop or (self.opened.file.is_text and self.stop - self.start <= SMALL_BYTES)

    @property
    def head(self) -> str:
        """The key of its first complete lines up to `stop`; contents with the same first lines have the same key."""
        beginning = self.opened.bytes.beginning
        return self.opened.heads[-1] if self.stop >= len(beginning) else heads(beginning[: self.stop])[-1]

    @property
    def superseded(self) -> list[int]:
        """The batches whose rejects are replaced by this read."""
        return [*self.damaged, *(boundary.batch_id for boundary in self.stale)]

    def in_memory(self) -> bytes:
        """A small part of a text.

        Raises:
            OSError: it cannot be read.
            InputOutputError: it no longer exists.
        """
        data = self.opened.bytes.read(self.start, self.stop)
        self._require(len(data))
        return data

    def on_disk(self, scratch: Path, *, is_copied: bool) -> Path:
        """A part of any size, or a file that is no text: where it lies, unless it is but a part or is to be copied.

        Raises:
            OSError: it cannot be read, or there is no room for a copy.
            InputOutputError: it no longer exists.
        """
        if not is_copied and (self.start, self.stop) == (0, self.opened.bytes.size):
            return self.opened.bytes.path
        path = scratch / "part"
        with path.open("wb") as target:
            target.writelines(portions(self.opened.bytes.path, self.start, self.stop))
            self._require(target.tell())
        return path

    def lines_before(self, offset: int) -> int:
        """How many lines end before an offset, which is `start` or `stop`."""
        snapshot, known = self.opened.bytes, self.known
        before = known.lines if known is not None and known.lines is not None else snapshot.count_lines(0, self.start)
        return before + snapshot.count_lines(self.start, offset)

    @property
    def open_quote_line(self) -> int | None:
        """The line of a record that waits for its closing quote; None if no complete line waits."""
        if self.opened.bytes.last_line_end(self.stop) == self.stop:
            return None
        return self.lines_before(self.stop) + 1

    def _require(self, size: int) -> None:
        if size < self.stop - self.start:
            raise InputOutputError(f"{self.opened.file.path}: was cut off while it was read; nothing of it was loaded")


def look(opened: Opened, ledger: Ledger, settings: str, now: datetime) -> Tail:
    """Find what is new in a file, which may still be written.

    Raises:
        OSError: it cannot be read.
        InputOutputError: a cluster has loaded it, as it was before.
    """
    file, snapshot = opened.file, opened.bytes
    former = ledger.by_path.get(str(file.path))
    if former is not None and former.fingerprint.startswith(CLUSTER) and not former.is_rejected:
        raise InputOutputError(
            f"{file.path}: a cluster has loaded it as batch {former.batch_id}, and it has been written to since: after "
            f"`streammetrics unload {former.batch_id}` it is read here"
        )
    known, stale = None, []
    for boundary in ledger.like(opened.heads):
        is_ours = boundary.path == str(file.path)
        if _holds(opened, boundary) and (is_ours or _is_moved(opened, boundary, former)):
            if not boundary.is_stale(settings):
                known = boundary
                break
            stale.append(boundary)
    start = known.end if known else 0
    is_placed = former == known
    if former is not None and _holds(opened, former):
        former = None
    damaged = tuple(ledger.damaged.get(str(file.path), ()))
    again = tuple(boundary for boundary in stale if boundary.start >= start)
    tail = Tail(opened, start, snapshot.size, known, again, former, is_placed, damaged)
    return tail if file.is_over(now) else replace(tail, stop=_whole_lines(tail))


def _holds(opened: Opened, boundary: Boundary) -> bool:
    """Whether the content begins with everything that was read up to a boundary."""
    snapshot = opened.bytes
    if boundary.end > snapshot.size or (boundary.end < snapshot.size and not opened.file.is_text):
        return False
    if boundary.prefix is None:
        return snapshot.first(boundary.end) == boundary.fingerprint
    if boundary.prefix != snapshot.prefix(boundary.end):
        return False
    # For a complete file the fingerprint of all bytes is known, so similar content is not confused with it.
    is_whole = boundary.start == 0 and boundary.end == snapshot.size > SMALL_BYTES
    return not is_whole or boundary.fingerprint == snapshot.first(snapshot.size)


def _is_moved(opened: Opened, boundary: Boundary, former: Boundary | None) -> bool:
    """Whether content that begins like another path's is that content, moved or copied, and not merely similar.

    Short files may begin alike by chance. Files of a spool are complete when they arrive. `former`: the recorded
    content of this path, its own or as a duplicate.
    """
    file = opened.file
    if file.source.same_content == "load" or is_of_another_day(file, boundary.path):
        return False
    if boundary == former or boundary.end == opened.bytes.size:
        return True
    if file.source.after != "keep":
        return False
    has_many_lines = len(heads(opened.bytes.beginning[: boundary.end])) > HEAD_LINES
    return has_many_lines or boundary.inode == file.inode or _is_elsewhere(boundary)


def is_of_another_day(file: SourceFile, path: str) -> bool:
    """Whether the names of two files assign their times of day to different days."""
    if file.source.date != "name":
        return False
    days = file.day(), day_in(Path(path).name)
    return None not in days and days[0] != days[1]


def _is_elsewhere(boundary: Boundary) -> bool:
    """Whether its path has other content now."""
    try:
        with held(Path(boundary.path)) as path:
            snapshot = Snapshot(path)
            return boundary.end > snapshot.size or boundary.prefix != snapshot.prefix(boundary.end)
    except (InputOutputError, OSError):
        return False


def _whole_lines(tail: Tail) -> int:
    """Where the last complete record ends; the rest waits for its line end or closing quote."""
    snapshot = tail.opened.bytes
    stop = snapshot.last_line_end(tail.start)
    if tail.opened.file.format == "jsonl":
        return stop
    start = max(tail.start, stop - 2 * LONGEST_QUOTED_BYTES)
    last_lines = snapshot.read(start, stop)
    if b'"' not in last_lines:
        return stop
    delimiter = delimited.sniff(tail.opened.file, snapshot).delimiter
    return stop - open_bytes(last_lines, snapshot.codec, delimiter)


def open_quotes(
    connection: Connection, config: Config, files: Iterable[SourceFile], now: datetime
) -> Iterator[tuple[Path, int]]:
    """The files that the next run will not read to their last complete line, and the line of the open quote.

    Files that cannot be read are left out.
    """
    for file in files:
        if file.is_over(now):
            continue
        with suppress(OSError, InputOutputError), held(file.path, file.base) as path:
            opened = Opened(file, Snapshot(path))
            ledger = Ledger(connection, *lookup_keys([opened]))
            line = look(opened, ledger, settings_of(config, file.source), now).open_quote_line
            if line is not None:
                yield file.path, line


def lookup_keys(files: Sequence[Opened]) -> tuple[list[str], list[str], list[int]]:
    """The keys by which a ledger looks up files: paths, first lines and sizes."""
    keys = {head for opened in files for head in opened.heads}
    return [str(opened.file.path) for opened in files], list(keys), [opened.bytes.size for opened in files]
