"""Records what was read, and what was refused and why: the tables `batches`, `contents` and `refused`.

A file is recognized by its path, time of change and size; content by a fingerprint of everything before the offset up
to which it was read. `range_start` and `range_end` are such offsets (bytes, unpacked). A batch whose file could not be
read, or whose records were all rejected, is ignored after the settings that decide how it is read have changed.

A row of `refused` stays until a run has read its path, the file is gone, or the settings of its source have changed.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.config import Config, Source
from streammetrics.config.sections import OLDEST_DAYS
from streammetrics.sources.discovery import UNCONFIGURED, SourceFile
from streammetrics.store.statements import as_json, run

_DECIDING = {"format", "delimiter", "columns", "date", "timezone", "time_format"}

_REFUSED = "select path, source, settings, reason from refused order by refused_at, path"

_REFUSE = "insert into refused values ($path, $source, $settings, $reason, $refused_at)"

_FORGET = "delete from refused where path in (select unnest($paths))"

NEAREST = 50
"""How many ranges of contents with the same first lines are checked first."""


@dataclass(frozen=True)
class Boundary:
    """Where a batch ends in its content, and the fingerprint of the content; `prefix` is None in stores of version 2.

    `is_rejected`: all its records were rejected; `is_header`: it has no record at all; `header_line`: the line of the
    header that applies from there on, if it is not the first.
    """

    batch_id: int
    path: str
    start: int
    end: int
    fingerprint: str
    prefix: str | None
    lines: int | None
    inode: str | None
    head: str | None
    is_rejected: bool
    is_header: bool
    settings: str | None
    header_line: int | None

    def is_stale(self, settings: str) -> bool:
        """Whether none of its records was accepted, and settings that differ from its own may read it."""
        return self.is_rejected and self.settings != settings


def settings_of(config: Config, source: Source) -> str:
    """A fingerprint of the settings that decide how the files of a source are read, and which records are rejected."""
    deciding = f"{source.model_dump_json(include=_DECIDING)} {config.ingest.future_limit_seconds}"
    if config.ingest.oldest_days != OLDEST_DAYS:
        deciding += f" {config.ingest.oldest_days}"
    return hashlib.sha256(deciding.encode()).hexdigest()[:16]


def known(connection: Connection, config: Config, files: Iterable[SourceFile]) -> dict[Path, bool]:
    """The unchanged files that were read with the present settings; for each, whether its content counts.

    One query for all files.
    """
    found = {str(file.path): file for file in files}
    if not found:
        return {}
    settings = {file.source.name: settings_of(config, file.source) for file in found.values()}
    requested = [{"path": path, "modified_ns": file.modified_ns} for path, file in found.items()]
    with connection.begin():
        rows = run(connection, "jobs/known_files", {"files": as_json(requested)}).all()
    known: dict[Path, bool] = {}
    for path, size, end, is_rejected, decided in rows:
        file = found[path]
        size = size if size is not None else file.size if file.compression else end
        is_stale = is_rejected and decided != settings[file.source.name]
        if size == file.size and not is_stale:
            known[file.path] = known.get(file.path, False) or not is_rejected
    return {file.path: known[file.path] for file in found.values() if file.path in known}


def totals(connection: Connection, path: Path) -> tuple[int, int]:
    """How many records of a path's present content were accepted and rejected; in the caller's transaction."""
    records, rejected = run(connection, "jobs/path_totals", {"path": str(path)}).one()
    return records, rejected


def unread_bytes(connection: Connection, files: Iterable[SourceFile]) -> dict[Path, int]:
    """How many bytes of each file on disk are new; all, if it is shorter than when it was read."""
    sizes = {str(file.path): file.size for file in files}
    rows = run(connection, "jobs/read_bytes", {"paths": list(sizes)})
    read = {path: read_bytes for path, read_bytes in rows if read_bytes <= sizes[path]}
    return {Path(path): size - read.get(path, 0) for path, size in sizes.items()}


class Ledger:
    """Boundaries of contents with the same first lines as some files, and of their paths; in the caller's transaction.

    `by_path`: the boundary up to which a path's content was last read. `damaged`: the batches of a path that record a
    file which could not be read.
    """

    def __init__(
        self, connection: Connection, paths: Sequence[str], heads: Sequence[str], sizes: Sequence[int]
    ) -> None:
        self._connection = connection
        former = run(connection, "jobs/latest_batches", {"paths": as_json(paths)}).all()
        batch_ids = [batch_id for _, batch_id, _ in former if batch_id is not None]
        boundaries = self._boundaries(heads, NEAREST, paths, sizes, batch_ids)
        self.damaged: dict[str, list[int]] = {path: damaged for path, _, damaged in former}
        by_id = {boundary.batch_id: boundary for boundary in boundaries}
        self.by_path = {path: by_id[batch_id] for path, batch_id, _ in former if batch_id in by_id}
        self._by_head: dict[str | None, list[Boundary]] = {}
        for boundary in boundaries:
            self._by_head.setdefault(boundary.head, []).append(boundary)

    def like(self, heads: Sequence[str]) -> Iterator[Boundary]:
        """Ranges that may be the beginning of a content with these first lines, the longest first.

        For a file that grew for long, the latest range usually fits; all ranges are read only if none of the latest
        does.
        """
        yield from self._by_head.get(None, ())
        for head in reversed(heads):
            nearest = sorted(self._by_head.get(head, ()), key=lambda boundary: (-boundary.end, boundary.batch_id))
            yield from nearest
            if len(nearest) >= NEAREST:
                yield from self._boundaries([head], 2**62)

    def _boundaries(
        self,
        heads: Sequence[str],
        most: int,
        paths: Sequence[str] = (),
        sizes: Sequence[int] = (),
        batch_ids: Sequence[int] = (),
    ) -> list[Boundary]:
        lists = {"heads": heads, "paths": paths, "sizes": sizes, "batch_ids": batch_ids}
        known_by = {name: as_json(values) for name, values in lists.items()}
        rows = run(self._connection, "jobs/find_boundaries", {**known_by, "most": most})
        return [Boundary(*row) for row in rows]

    def add(self, boundary: Boundary) -> None:
        """Add a boundary of this transaction, because other files in it may have the same content."""
        self._by_head.setdefault(boundary.head, []).append(boundary)


def refuse(
    connection: Connection, path: Path | str, source: Source, settings: str, reason: str, refused_at: datetime
) -> None:
    """Record a refusal in the caller's transaction; it replaces an earlier one of the same path."""
    connection.exec_driver_sql(_FORGET, {"paths": [str(path)]})
    row = {"path": str(path), "source": source.name, "settings": settings, "reason": reason, "refused_at": refused_at}
    connection.exec_driver_sql(_REFUSE, row)


def refused(connection: Connection, config: Config) -> dict[Path, str]:
    """The current reasons, by path (for a database: by `place_of`), the oldest first."""
    settings = {source.name: settings_of(config, source) for source in config.source or (UNCONFIGURED,)}
    return {
        Path(path): reason
        for path, source, refused_with, reason in connection.exec_driver_sql(_REFUSED)
        if settings.get(source) == refused_with and not _is_gone(Path(path))
    }


def place_of(source: Source) -> Path:
    """The key of a database: a correction may change its URL, but not the name of its source."""
    return Path(f"[[source]] {source.name!r}")


def _is_gone(path: Path) -> bool:
    return path.is_absolute() and not os.path.lexists(path)


class Refusals:
    """The refusals at the beginning of a run, updated with the result of each path."""

    def __init__(self, connection: Connection, config: Config, clock: Callable[[], datetime]) -> None:
        self._connection, self._config, self._clock = connection, config, clock
        with connection.begin():
            rows = connection.exec_driver_sql(_REFUSED)
            self._known = {Path(path): (settings, reason) for path, _, settings, reason in rows}
            self._forget(filter(_is_gone, self._known))

    def refuse(self, path: Path, source: Source, reason: str) -> None:
        """Record that a path, or database, cannot be read; nothing of it was committed."""
        settings = settings_of(self._config, source)
        if self._known.get(path) == (settings, reason):
            return
        # On a full disk this cannot be stored either; the next run tries the file again.
        with suppress(DBAPIError), self._connection.begin():
            refuse(self._connection, path, source, settings, reason, self._clock())

    def settle(self, path: Path) -> None:
        """Record that a path was read."""
        if path in self._known:
            with suppress(DBAPIError), self._connection.begin():
                self._forget([path])

    def _forget(self, paths: Iterable[Path]) -> None:
        if gone := list(map(str, paths)):
            self._connection.exec_driver_sql(_FORGET, {"paths": gone})
