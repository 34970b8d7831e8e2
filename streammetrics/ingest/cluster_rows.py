"""Rows that a load of the cluster adds to the ledger and to `loads`.

All functions but `begin` run in the transaction of the counters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.errors import InputOutputError
from streammetrics.ingest.batch import Batch, LedgerRow, Tally, supersede
from streammetrics.ingest.outcome import FileOutcome, all_rejected, failed, rejects_in_words, with_suspicion
from streammetrics.sources import ledger
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.ledger import Boundary, Ledger
from streammetrics.sources.tail import CLUSTER, is_of_another_day
from streammetrics.store.statements import as_json, run

_BEGIN = "insert into loads (load) values ($load)"
_UNFINISHED = "select load from loads group by load having count(batch_id) = 0"
_FORGET = "delete from loads where load = $load"


@dataclass(frozen=True)
class Content:
    """A fingerprint of a file's content, from the cluster's `digest` of its lines or rows; independent of settings."""

    lines: int
    digest: str

    @property
    def fingerprint(self) -> str:
        return f"{CLUSTER}{self.lines}:{self.digest}"


def begin(connection: Connection, load: str) -> None:
    """Record a load, before any of its files is written."""
    connection.exec_driver_sql(_BEGIN, {"load": load})


def unfinished(connection: Connection) -> list[str]:
    """Loads that were begun and not committed."""
    return list(connection.exec_driver_sql(_UNFINISHED).scalars())


def forget(connection: Connection, load: str) -> None:
    """Remove the row of a load whose files are gone."""
    connection.exec_driver_sql(_FORGET, {"load": load})


def rows(
    connection: Connection, config: Config, batch: Batch, files: Mapping[int, tuple[SourceFile, Content | None]]
) -> tuple[dict[int, LedgerRow], list[FileOutcome]]:
    """Ledger rows of files by place, before their records are counted; and outcomes of files that are not new.

    A file whose content is None is empty.
    """
    paths = [str(file.path) for file, _ in files.values()]
    former_of = Ledger(connection, paths, [], []).by_path
    prints = [content.fingerprint for _, content in files.values() if content]
    known = {row.fingerprint: row for row in run(connection, "jobs/known_contents", {"fingerprints": prints})}
    original_of = {fingerprint: (row.batch_id, row.path) for fingerprint, row in known.items()}
    found: dict[int, LedgerRow] = {}
    outcomes = []
    for place, (file, content) in files.items():
        batch_id, former = batch.batch_id + place, former_of.get(str(file.path))
        row = partial(LedgerRow, batch_id, file, batch.now, ledger.settings_of(config, file.source))
        if content is None:
            found[place] = row()
            continue
        original, path = original_of.get(content.fingerprint, (None, ""))
        if original is not None and _is_same(file, path):
            found[place] = row(end=file.size, fingerprint=content.fingerprint, duplicate_of=original)
            message = f"{file.path}: same content as {path}, which was loaded; nothing was counted again"
            outcomes.append(FileOutcome(file.path, "skipped", batch_id=batch_id, message=message))
            continue
        if former is not None and not (former.is_rejected or former.is_header):
            outcomes.append(failed(file.path, _changed(file, former)))
            continue
        if former is not None:
            # The other file has no accepted record.
            supersede(connection, [former.batch_id], batch_id)
        original_of[content.fingerprint] = (batch_id, str(file.path))
        found[place] = row(0, file.size, content.fingerprint, "", "", content.lines)
    return found, outcomes


def publish(connection: Connection, load: str, places: Mapping[int, tuple[LedgerRow, Tally]]) -> None:
    """Commit a load's files. For the store their records count as removed events: see `pruned`."""
    rows = [
        {
            "place": place,
            "batch_id": row.batch_id,
            "records": tally.records,
            "before_ts": tally.max_ts and tally.max_ts.replace(microsecond=0) + timedelta(seconds=1),
            "removed_at": row.loaded_at,
        }
        for place, (row, tally) in places.items()
    ]
    if rows:
        forget(connection, load)
        run(connection, "jobs/add_loads", {"load": load, "rows": as_json(rows)})
        run(connection, "jobs/add_loaded_events", {"rows": as_json(rows)})


def outcome(row: LedgerRow, first_time: str) -> FileOutcome:
    """The outcome of a new file, once it is counted."""
    path, tally = row.file.path, row.tally
    counts = tally.records or not tally.misread
    message = rejects_in_words(path, tally)
    outcome = FileOutcome(path, "loaded", tally.records, tally.rejected, row.batch_id, message, is_done=bool(counts))
    if not counts:
        error = all_rejected(row.file, tally.rejected, tally.first_reject, first_time)
        outcome = replace(outcome, message=str(error), error=error)
    return with_suspicion(outcome, row.file.source, row.batch_id, tally, row.loaded_at)


def _is_same(file: SourceFile, path: str) -> bool:
    """Whether equal contents count once; not if `same_content = "load"`, or if their names have different days."""
    return path == str(file.path) or not (file.source.same_content == "load" or is_of_another_day(file, path))


def _changed(file: SourceFile, former: Boundary) -> InputOutputError:
    batch = former.batch_id
    if not former.fingerprint.startswith(CLUSTER):
        return InputOutputError(
            f"{file.path}: batch {batch} was loaded from it on this machine, and it has been written to since: after "
            f"`streammetrics unload {batch}` a cluster loads it"
        )
    return InputOutputError(
        f"{file.path}: has changed since it was loaded as batch {batch}: put new records into files of their own; "
        f"after `streammetrics unload {batch}` it is loaded as it is now"
    )
