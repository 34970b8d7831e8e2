"""Loads several small files, or a large one, in one transaction; each file has its own row in the ledger.

An error in one of several files does not affect the others.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.config import Config
from streammetrics.errors import DamagedInputError, InputOutputError, StreammetricsError
from streammetrics.ingest import base_tables
from streammetrics.ingest.base_tables import MisreadError
from streammetrics.ingest.batch import LedgerRow, Tally, quarantine, supersede
from streammetrics.ingest.outcome import FileOutcome, failed, problem
from streammetrics.ingest.transaction import Transaction
from streammetrics.sources import reader, unpack
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.encoding import examine
from streammetrics.sources.ledger import Ledger
from streammetrics.sources.reader import Plan
from streammetrics.sources.rotation import Rotation
from streammetrics.sources.snapshot import SMALL_BYTES, Snapshot
from streammetrics.sources.tail import Opened, Tail, look, lookup_keys
from streammetrics.sources.texts import Text

TOGETHER_BYTES = 16 * SMALL_BYTES
"""Unpacked bytes of the files of one transaction: small files are in memory, others are open (unpacked on disk)."""


class _ChangedError(Exception):
    """A file was written to while DuckDB read it."""


@dataclass
class Loader:
    """Loads files into a store. `rotation`: see `Transaction`."""

    connection: Connection
    config: Config
    clock: Callable[[], datetime]
    scratch: Path
    rotation: Rotation
    _plans: dict[tuple[str, ...], Plan] = field(default_factory=dict)

    def load(self, files: Sequence[SourceFile]) -> Iterator[FileOutcome]:
        """Load files of one source and day, in as few transactions as memory allows.

        Raises:
            InputOutputError: the store itself failed.
        """
        while files:
            with ExitStack() as held:
                opened, failures, files = self._open(files, held)
                yield from failures
                yield from self._load(opened)

    def _load(self, opened: Sequence[Opened]) -> Iterator[FileOutcome]:
        try:
            outcomes, large = self._together(opened)
        except (DBAPIError, OSError) as error:
            self.rotation.read_again()
            if len(opened) > 1:
                middle = len(opened) // 2
                yield from self._load(opened[:middle])
                yield from self._load(opened[middle:])
                return
            outcomes, large = [self._failed(opened[0].file, error)], []
        yield from outcomes
        for tail in large:
            # Look again at a file of several: a file that was loaded before it may have the same content.
            yield from self.load([tail.opened.file]) if len(opened) > 1 else [self._try_alone(tail)]

    def _open(
        self, files: Sequence[SourceFile], held: ExitStack
    ) -> tuple[list[Opened], list[FileOutcome], Sequence[SourceFile]]:
        """The files that fit into memory at once, outcomes of those that cannot be opened, and the remaining files."""
        opened: list[Opened] = []
        failures: list[FileOutcome] = []
        held_bytes = 0
        for number, file in enumerate(files):
            try:
                with ExitStack() as lying:
                    plain = lying.enter_context(unpack.unpack(file, self.scratch, f"content-{number}"))
                    one = Opened(file, Snapshot(plain))
                    # Few files can be open at once: some systems allow 256.
                    if len(files) == 1 or not one.is_in_memory:
                        held.enter_context(lying.pop_all())
            except DamagedInputError as error:
                failures.append(self._quarantine(file, error))
                continue
            except (InputOutputError, OSError) as error:
                failures.append(self._failed(file, error))
                continue
            opened.append(one)
            held_bytes += one.bytes.size
            if held_bytes > TOGETHER_BYTES:
                return opened, failures, files[number + 1 :]
        return opened, failures, ()

    def _together(self, opened: Sequence[Opened]) -> tuple[list[FileOutcome], list[Tail]]:
        """Load the files with little new content in one transaction; returns the others."""
        if not opened:
            return [], []
        bad: list[FileOutcome] = []
        large: list[Tail] = []
        with self.connection.begin():
            transaction = self._transaction([one.file for one in opened])
            known = Ledger(self.connection, *lookup_keys(opened))

            texts: dict[tuple[object, ...], Text] = {}
            for place, one in enumerate(opened):
                try:
                    tail = look(one, known, transaction.settings, transaction.batch.now)
                    if not tail.is_small:
                        large.append(tail)
                        continue
                    row, plan = transaction.row(place, tail), None
                    if row.is_new:
                        plan = self._plan(tail)
                        if (dialect := plan.dialect) not in texts:
                            texts[dialect] = Text(plan, self.scratch / f"text-{len(texts)}")
                        texts[dialect].add(plan, tail, place)
                except (StreammetricsError, OSError) as error:
                    bad.append(self._failed(one.file, error))
                    continue
                transaction.add(row, tail, plan.first_time if plan else "")
                if row.is_new:
                    known.add(row.boundary)
            for text in texts.values():
                text.path.write_bytes(text.content)
                base_tables.insert_small(
                    self.connection, text.reader, transaction.batch, partial(text.reread, self.connection)
                )
                text.path.unlink()
            outcomes = transaction.finish()
        return [*bad, *outcomes], large

    def _plan(self, tail: Tail) -> Plan:
        file, header_line = tail.opened.file, tail.known.header_line if tail.known else None
        # The files of a spool have the same columns: find them once.
        alike = (file.source.name, file.format, tail.opened.first_line)
        like = self._plans.get(alike) if header_line is None else None
        plan = reader.plan(
            self.connection,
            file,
            tail.opened.bytes,
            header_line=header_line,
            is_begun=tail.start > 0,
            like=like,
        )
        if plan.head is not None and plan.head.lead == 0 and plan.has_header and header_line is None and alike[-1]:
            self._plans.setdefault(alike, plan)
        return plan

    def _try_alone(self, tail: Tail) -> FileOutcome:
        try:
            try:
                return self._alone(tail, is_copied=False)
            except _ChangedError:
                self.rotation.read_again()
                if not tail.opened.file.can_grow:
                    raise _changed(tail.opened.file) from None
                return self._alone(tail, is_copied=True)
        except DamagedInputError as error:
            return self._quarantine(tail.opened.file, error)
        except (StreammetricsError, DBAPIError, OSError) as error:
            self.rotation.read_again()
            return self._failed(tail.opened.file, error)

    def _alone(self, tail: Tail, *, is_copied: bool) -> FileOutcome:
        path = tail.on_disk(self.scratch, is_copied=is_copied)
        examined = examine(path)
        plan = self._plan(tail)
        text = Text.large(plan, tail, path, examined, self.scratch) if tail.opened.file.is_text else None
        while (outcome := self._read(tail, plan, text, examined.hashing.result, path)) is None:
            pass
        return outcome

    def _read(
        self, tail: Tail, plan: Plan, text: Text | None, fingerprint: Callable[[], str], path: Path
    ) -> FileOutcome | None:
        """The transaction of a large file; None, with nothing changed, if its text must be read in another way."""
        with self.connection.begin() as begun:
            transaction = self._transaction([tail.opened.file])
            row = transaction.row(0, tail)
            found = reader.parquet_reader(plan, path, self.connection) if text is None else text.reader
            try:
                is_clean = base_tables.insert_large(self.connection, found, transaction.batch) == found.rows
            except MisreadError:
                begun.rollback()
                # Lines that were added meanwhile look like misread ones: then the file is copied and read again by the
                # fast reader.
                self._check(tail, path)
                if text is None:
                    raise
                text.give_up_speed()
                return None
            if not is_clean:
                if text is not None and text.is_misread(self.connection):
                    begun.rollback()
                    return None
                base_tables.add_rejects(self.connection, transaction.batch)
            transaction.add(replace(row, fingerprint=fingerprint()), tail, plan.first_time)
            (outcome,) = transaction.finish()
            self._check(tail, path)
        return outcome

    def _check(self, tail: Tail, path: Path) -> None:
        """Check after all reading, fingerprints included, that no file changed: the ledger describes what was read."""
        file = tail.opened.file
        if path == tail.opened.bytes.path:
            if file.is_changed():
                raise _ChangedError
        elif file.has_lost(tail.stop) if file.can_grow else file.is_changed():
            raise _changed(file)

    def _transaction(self, files: Sequence[SourceFile]) -> Transaction:
        return Transaction.begin(self.connection, self.config, files, self.clock(), self.rotation)

    def _quarantine(self, file: SourceFile, error: DamagedInputError) -> FileOutcome:
        with self.connection.begin():
            transaction = self._transaction([file])
            damaged = Ledger(self.connection, [str(file.path)], [], []).damaged.get(str(file.path), [])
            batch_id = transaction.batch.batch_id
            supersede(self.connection, damaged, batch_id)
            row = LedgerRow(batch_id, file, transaction.batch.now, transaction.settings, tally=Tally(rejected=1))
            quarantine(self.connection, row, str(error))
            transaction.refuse(file, error)
        return failed(file.path, error)

    def _failed(self, file: SourceFile, error: StreammetricsError | OSError | DBAPIError) -> FileOutcome:
        return failed(file.path, problem(self.config.store_path, file.path, error))


def _changed(file: SourceFile) -> InputOutputError:
    return InputOutputError(f"{file.path}: was written to while it was read; nothing of it was loaded")
