"""One transaction for files: their records, everything derived from them, and a ledger row per file."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.errors import DamagedInputError
from streammetrics.ingest import base_tables
from streammetrics.ingest.batch import Batch, LedgerRow, Tally, record, supersede
from streammetrics.ingest.outcome import FileOutcome, all_rejected, rejected_copy, rejects_in_words, with_suspicion
from streammetrics.sources import ledger
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.rotation import Rotation
from streammetrics.sources.tail import Tail


@dataclass
class Transaction:
    """The caller has begun it. The files have one source and day, and each has a place in the batch."""

    connection: Connection
    batch: Batch
    settings: str
    rotation: Rotation
    _added: list[tuple[LedgerRow, Tail, str]] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        connection: Connection,
        config: Config,
        files: Sequence[SourceFile],
        now: datetime,
        rotation: Rotation,
    ) -> "Transaction":
        batch = Batch.begin(connection, config, files, now)
        return cls(connection, batch, ledger.settings_of(config, files[0].source), rotation)

    def row(self, place: int, tail: Tail) -> LedgerRow:
        """The ledger row of the file at a place, before its records are counted: of known, new or no content.

        It must be made before records of the file are inserted. If the file is read alone, the row gets its fingerprint
        later.
        """
        file, snapshot = tail.opened.file, tail.opened.bytes
        if tail.known is not None:
            self.batch.continued[place] = tail.known.batch_id
        known, start, stop = tail.known, tail.start, tail.stop
        new_row = partial(LedgerRow, self.batch.batch_id + place, file, self.batch.now, self.settings)
        if start >= stop:
            if known is None:
                return new_row()
            return new_row(end=known.end, fingerprint=known.fingerprint, duplicate_of=known.batch_id)
        prefix, fingerprint, lines = snapshot.prefix(stop), "", None
        if tail.is_small:
            lines = tail.lines_before(stop)
            fingerprint = hashlib.sha256(snapshot.read(start, stop)).hexdigest() if start else prefix
        header_line = known.header_line if known else None
        return new_row(start, stop, fingerprint, tail.head, prefix, lines, header_line=header_line)

    def add(self, row: LedgerRow, tail: Tail, first_time: str = "") -> None:
        """Add the row of records that are or will be inserted; `first_time`: the first record's time as text."""
        self._added.append((row, tail, first_time))

    def refuse(self, file: SourceFile, error: DamagedInputError) -> None:
        """Record in `refused`, in this transaction, that no record of the file was accepted."""
        ledger.refuse(self.connection, file.path, file.source, self.settings, str(error), self.batch.now)

    def finish(self) -> list[FileOutcome]:
        """Store everything but the records; returns what to report after the commit."""
        tallies, note = base_tables.finish(self.connection, self.batch)
        done = [replace(row, tally=tallies.get(row.batch_id, Tally())) for row, *_ in self._added]
        # A file with nothing new but a waiting last line has one row.
        kept = [
            (row, tail)
            for row, (_, tail, _) in zip(done, self._added, strict=True)
            if not (_is_waiting(tail) and tail.is_placed)
        ]
        record(self.connection, [row for row, _ in kept])
        for row, tail in kept:
            supersede(self.connection, tail.superseded, row.batch_id)
        self._find_and_miss(kept)
        outcomes = [
            self._outcome(row, tail, first_time) for row, (_, tail, first_time) in zip(done, self._added, strict=True)
        ]
        if note and outcomes:
            outcomes[-1] = replace(outcomes[-1], message="\n".join(filter(None, (outcomes[-1].message, note))))
        return outcomes

    def _find_and_miss(self, kept: Sequence[tuple[LedgerRow, Tail]]) -> None:
        """Record moved files as found, and overwritten content as replaced.

        If another file was moved to a path, the path's own content is gone, as after a deletion. A file with only a
        header never counts as moved, because headers are alike.
        """
        headers = {row.batch_id for row, _ in kept if not (row.tally.records or row.tally.rejected)}
        for _, tail, _ in self._added:
            if tail.known is not None:
                self.rotation.find(self.connection, tail.known.batch_id, tail.opened.file.path)
        for _, tail in kept:
            is_fresh = tail.known is None or tail.known.is_header or tail.known.batch_id in headers
            if is_fresh and tail.former is not None and not tail.former.is_header:
                self.rotation.miss(self.connection, tail.opened.file, tail.former, self.batch.now)

    def _outcome(self, row: LedgerRow, tail: Tail, first_time: str) -> FileOutcome:
        outcome = _counts(row, tail)
        error = self._problem(row, tail, first_time)
        if error is not None:
            self.refuse(row.file, error)
            outcome = replace(outcome, message=str(error), error=error)
        return with_suspicion(outcome, row.file.source, row.batch_id, row.tally, row.loaded_at)

    def _problem(self, row: LedgerRow, tail: Tail, first_time: str) -> DamagedInputError | None:
        """The error for a file whose records were all rejected, in earlier runs too; None for other files."""
        path, tally = row.file.path, row.tally
        if not row.is_new:
            known = tail.known
            is_copy = known is not None and known.is_rejected and known.start == 0 and known.path != str(path)
            return rejected_copy(path, known.path) if known is not None and is_copy else None
        if tally.records or not tally.misread:
            return None
        records, rejected = ledger.totals(self.connection, path) if tail.start else (0, tally.rejected)
        return None if records else all_rejected(row.file, rejected, tally.first_reject, first_time)


def _is_waiting(tail: Tail) -> bool:
    """Whether the file has no new complete line, only the beginning of one."""
    return tail.start >= tail.stop and not tail.is_read


def _counts(row: LedgerRow, tail: Tail) -> FileOutcome:
    path, size, tally = row.file.path, tail.opened.bytes.size, row.tally
    is_known_to_count = tail.known is None or not tail.known.is_rejected
    counts = tally.records or (is_known_to_count if not row.is_new else not tally.misread)
    waiting, is_done = size - max(tail.start, tail.stop), bool(counts and size in (row.end, tail.start))
    if _is_waiting(tail):
        return FileOutcome(path, "skipped", waiting_bytes=waiting, open_quote_line=tail.open_quote_line)
    if not row.is_new:
        message = f"{path}: {_why_skipped(tail)}"
        return FileOutcome(path, "skipped", batch_id=row.batch_id, message=message, is_done=is_done)
    message = rejects_in_words(path, tally)
    if not counts:
        message += f"; they are read again after the settings of [[source]] {row.file.source.name!r} change"
    outcome = FileOutcome(path, "loaded", tally.records, tally.rejected, row.batch_id, message, is_done=is_done)
    return replace(outcome, waiting_bytes=waiting, open_quote_line=tail.open_quote_line)


def _why_skipped(tail: Tail) -> str:
    if tail.known is None:
        return "is empty"
    if tail.known.path == str(tail.opened.file.path):
        return "has the content that was loaded already; nothing was counted again"
    return f"same content as {tail.known.path}, which was loaded; nothing was counted again"
