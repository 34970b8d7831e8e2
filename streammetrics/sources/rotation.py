"""Contents that were replaced at their paths: the table `replaced`.

When a file is rotated, its content appears under another name, in this run or a later one, and nothing is lost. If it
does not, lines that were added after the last read may never have been read; that is reported.
"""

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.ledger import Boundary
from streammetrics.store.statements import run

_MISSING = "select batch_id from replaced where found_as is null"

_REPLACED = "insert into replaced values ($batch_id, $path, $read_bytes, $state, $replaced_at, null)"

_FOUND = "update replaced set found_as = $path where batch_id = $batch_id and found_as is null"


class Rotation:
    """Replaced contents, and contents found in this run; both by the last batch that read them."""

    def __init__(self) -> None:
        self._missing: set[int] | None = None
        self._met: set[int] = set()
        self._lost: dict[int, tuple[Path, str]] = {}

    def missing(self, connection: Connection) -> set[int]:
        """Replaced contents that neither earlier runs nor this one have found."""
        if self._missing is None:
            self._missing = set(connection.exec_driver_sql(_MISSING).scalars())
        return self._missing

    def find(self, connection: Connection, batch_id: int, path: Path) -> None:
        """Record that the content of a batch is at this path, so nothing is lost; in the caller's transaction."""
        self._met.add(batch_id)
        if batch_id in self.missing(connection):
            connection.exec_driver_sql(_FOUND, {"batch_id": batch_id, "path": str(path)})
            self.missing(connection).discard(batch_id)

    def miss(self, connection: Connection, file: SourceFile, former: Boundary, now: datetime) -> None:
        """Record that a file has other content now: lines added to the former content since may be lost."""
        place = {"batch_id": former.batch_id, "path": str(file.path), "read_bytes": former.end}
        if former.batch_id in self._met or run(connection, "jobs/find_renamed", {**place, "inode": file.inode}).first():
            return
        is_shorter = file.can_grow and file.size < former.end
        state = "truncated" if is_shorter else "rewritten"
        connection.exec_driver_sql(_REPLACED, {**place, "state": state, "replaced_at": now})
        self.missing(connection).add(former.batch_id)
        self._lost[former.batch_id] = (
            file.path,
            f"was {state}: its present content counts as new records, and what was added to its former content after "
            f"byte {former.end:,}, if anything, was not read (let the source's path match rotated files too)",
        )

    def read_again(self) -> None:
        """Undo the changes of a transaction that was rolled back."""
        self._missing = None

    def missed(self, connection: Connection) -> list[tuple[Path, str]]:
        """The paths whose former content was not found in this run, with a sentence for each."""
        if not self._lost:
            return []
        with connection.begin():
            missing = self.missing(connection)
        return [lost for batch_id, lost in self._lost.items() if batch_id in missing]
