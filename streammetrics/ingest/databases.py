"""Loads rows of databases: each portion of rows is one transaction, together with the cursor state.

A database that fails does not stop the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.config import Config, Source
from streammetrics.errors import ConfigError, InputOutputError, StreammetricsError
from streammetrics.ingest import base_tables
from streammetrics.ingest.batch import Batch, LedgerRow, Tally, last_batch, record, rows_taken
from streammetrics.ingest.files import Clock, OnProgress
from streammetrics.ingest.outcome import FileOutcome, problem, suspicion
from streammetrics.sources import connections, cursor_state, databases
from streammetrics.sources.cursor_state import Rows, Taken
from streammetrics.sources.databases import Database
from streammetrics.sources.ledger import Refusals, place_of

MISREAD_ROWS = 100
"""If none of this many rows can be read, the portion is not stored: the settings are wrong, or the table changed."""


def ingest(
    connection: Connection, config: Config, source: str | None, clock: Clock, on_progress: OnProgress
) -> Iterator[FileOutcome]:
    """Load the new rows of the configured databases; `source` names one of them.

    Args:
        connection: of the store at `config.store_path`, held for writing, with no transaction begun.
        clock: gives the time now, naive UTC.
        on_progress: gets the rows done and the rows to do.

    Yields:
        An outcome per database, with the totals of all its portions.

    Raises:
        InputOutputError: the store itself failed, as on a full disk; nothing more can be loaded by this process.
    """
    refusals = Refusals(connection, config, clock)
    for found in config.source:
        if found.url is not None and source in (None, found.name):
            outcome = _DatabaseIngest(connection, config, found, clock, on_progress).outcome()
            if outcome.error is None:
                refusals.settle(place_of(found))
            else:
                refusals.refuse(place_of(found), found, str(outcome.error))
            yield outcome


@dataclass
class _DatabaseIngest:
    """Loads one database; holds its totals so far."""

    connection: Connection
    config: Config
    source: Source
    clock: Clock
    on_progress: OnProgress
    records: int = 0
    rejected: int = 0
    first_reject: str = ""
    note: str = ""
    suspected: str = ""
    batch_id: int | None = None

    def outcome(self) -> FileOutcome:
        """Load what is new; an error of the database becomes its outcome."""
        path, failure = Path(self.source.name), None
        state: Literal["loaded", "skipped", "failed"] = "loaded"
        try:
            with connections.connect(self.config, self.source) as (url, database):
                path = connections.place(self.source, url)
                self._read(Database(self.source, url, database))
        except (StreammetricsError, OSError, DBAPIError) as error:
            failure = problem(self.config.store_path, path, error)
        counts = ""
        if self.rejected or (failure and self.records):
            counts = f"{path}: {self.records:,} accepted, {self.rejected:,} rejected"
        if self.rejected:
            counts += f"; {self.first_reject}"
        message = "\n".join(filter(None, (str(failure or ""), counts, self.suspected, self.note)))
        if failure or self.batch_id is None:
            state = "failed" if failure else "skipped"
        return FileOutcome(path, state, self.records, self.rejected, self.batch_id, message, failure)

    def _read(self, database: Database) -> None:
        with self.connection.begin():
            state = cursor_state.read(self.connection, self.source, database.settings)
        floor, found = state.floor, database.waiting(state)
        total = max(0, found - sum(state.remembered.values()))
        if floor is not None and not found and (highest := database.highest()) is not None:
            raise InputOutputError(
                f"{database.place.path}: was read up to {state.value}, and holds no more than {highest} now; if it was "
                f"recreated, give [[source]] {self.source.name!r} another name: it is then read from its beginning"
            )
        for rows in (database.rows(state), database.rows_without_cursor(state)):
            for portion in _portions(rows, self.source.portion_rows):
                self.on_progress(self.records + self.rejected, total)
                taken = Taken(self.source, portion, floor, self.clock())
                self._commit(database, taken, is_first=floor is None)
                floor = taken.floor
        if database.problem:
            raise InputOutputError(database.problem)

    def _commit(self, database: Database, taken: Taken, *, is_first: bool) -> None:
        """Store a portion: its records, counters, rejects, ledger row and cursor state, in one transaction."""
        connection = self.connection
        with connection.begin():
            batch = Batch.begin(connection, self.config, [database.place], taken.now)
            batch.continued[0] = last_batch(connection, database.place)
            for reader in databases.readers(taken.records()):
                base_tables.stage(connection, reader, batch)
                base_tables.add_staged(connection, batch)
            tallies, note = base_tables.finish(connection, batch)
            tally = tallies.get(batch.batch_id, Tally())
            if not tally.records and taken.last is not None and tally.misread >= (1 if is_first else MISREAD_ROWS):
                raise ConfigError(
                    f"{database.place.path}: none of {tally.rejected:,} rows can be read, and none was stored; "
                    f"{tally.first_reject}: correct columns, date or timezone of [[source]] {self.source.name!r}"
                )
            row = LedgerRow(batch.batch_id, database.place, taken.now, database.settings, tally=tally)
            # The range of a batch counts all rows ever read from this database.
            start = rows_taken(connection, database.place)
            row = replace(row, start=start, end=start + taken.count, fingerprint=taken.fingerprint)
            record(connection, [row], are_files=False)
            taken.remember(connection, batch.batch_id, database.settings)
        self.records += tally.records
        self.rejected += tally.rejected
        self.first_reject = self.first_reject or tally.first_reject
        suspected = suspicion(self.source, database.place.path, batch.batch_id, tally, taken.now)
        self.suspected = self.suspected or suspected
        self.note = note or self.note
        self.batch_id = batch.batch_id


def _portions(rows: Iterator[Rows], size: int) -> Iterator[Iterator[Rows]]:
    """Portions of at least `size` rows; each must be consumed before the next."""
    for first in rows:
        yield _portion(first, rows, size)


def _portion(first: Rows, rows: Iterator[Rows], size: int) -> Iterator[Rows]:
    yield first
    size -= len(first.keys)
    while size > 0 and (more := next(rows, None)) is not None:
        yield more
        size -= len(more.keys)
