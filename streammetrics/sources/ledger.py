"""What was read already: the table `batches`.

A file is known by its path, time of change and size, a content by its fingerprint. `range_end` is the size (bytes) of
the content, unpacked, so that it can be compared with what the file held before; a compressed file is known by its path
and time of change alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.errors import InputOutputError
from streammetrics.sources.content import Content, prefix_fingerprints
from streammetrics.sources.files import SourceFile

_MARKS = "select path, modified_ns, range_end from batches where path in (select unnest($paths))"

_SAME_SIZE = """
select batch_id, path, fingerprint
from batches
where range_start = 0 and range_end > 0 and range_end = $size and duplicate_of is null
order by batch_id
"""

_BEFORE = "select range_end, fingerprint from batches where path = $path and range_end > 0 and range_end < $size"

_INSERT = """
insert into batches (
    batch_id, source, path, range_start, range_end, fingerprint, modified_ns,
    records, rejected, min_ts, max_ts, loaded_at, duplicate_of
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True)
class Loaded:
    """The batch that a content was loaded as, and the path that it had."""

    batch_id: int
    path: str


@dataclass(frozen=True)
class Entry:
    """What became of a file: `records` were counted, `min_ts` to `max_ts`; or it was `duplicate_of` another batch."""

    batch_id: int
    loaded_at: datetime
    records: int = 0
    rejected: int = 0
    min_ts: datetime | None = None
    max_ts: datetime | None = None
    duplicate_of: int | None = None


def known(connection: Connection, files: Iterable[SourceFile]) -> set[Path]:
    """The files that were read as they lie there; one query for all."""
    found = {str(file.path): file for file in files}
    if not found:
        return set()
    with connection.begin():
        rows = connection.exec_driver_sql(_MARKS, {"paths": list(found)}).all()
    return {
        found[path].path
        for path, modified_ns, size in rows
        if found[path].modified_ns == modified_ns and (found[path].compression or found[path].size == size)
    }


def same_content(connection: Connection, file: SourceFile, content: Content) -> Loaded | None:
    """What the content was loaded as. Where equal files are different data, only the same path counts.

    The fingerprint is waited for only where a content of the same size was loaded.
    """
    is_any = file.source.same_content == "skip"
    for batch_id, path, fingerprint in connection.exec_driver_sql(_SAME_SIZE, {"size": content.size}).all():
        if (is_any or path == str(file.path)) and fingerprint == content.fingerprint:
            return Loaded(batch_id, path)
    return None


def refuse_grown(connection: Connection, file: SourceFile, content: Content) -> None:
    """Records that were appended to a file cannot be told from those that were counted.

    Raises:
        InputOutputError: the content begins with what the file held when it was read before.
    """
    rows = connection.exec_driver_sql(_BEFORE, {"path": str(file.path), "size": content.size}).all()
    before = prefix_fingerprints(content.path, sorted({size for size, _ in rows}))
    for size, fingerprint in rows:
        if before[size] == fingerprint:
            raise InputOutputError(
                f"{file.path}: has grown from {size:,} to {content.size:,} bytes since it was loaded; nothing was "
                "counted again: put the new records, and them alone, into a file of their own"
            )


def is_rewritten(connection: Connection, file: SourceFile) -> bool:
    """Whether records of another content were loaded from this path before."""
    sql = "select count(*) from batches where path = $path and records > 0"
    return bool(connection.exec_driver_sql(sql, {"path": str(file.path)}).scalar_one())


def next_batch_id(connection: Connection) -> int:
    """A number that no batch had."""
    return int(connection.exec_driver_sql("select nextval('batch_ids')").scalar_one())


def record(connection: Connection, file: SourceFile, content: Content, entry: Entry) -> None:
    """Add a row, in the transaction of the records that it tells of."""
    row = (
        *(entry.batch_id, file.source.name, str(file.path), 0, content.size, content.fingerprint, file.modified_ns),
        *(entry.records, entry.rejected, entry.min_ts, entry.max_ts, entry.loaded_at, entry.duplicate_of),
    )
    connection.exec_driver_sql(_INSERT, row)
