"""What a transaction leaves in the store of its files: records, all that follows from them, and a row of each."""

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
    """Begun by the caller; the files have one source and day, and the batch a place for each."""

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
        """The row of the file at a place, its records not yet counted; it is a known content, or nothing, or new.

        What is inserted of the file from now on follows what is known of it. Of what is read alone the row has no
        fingerprint.
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
        """What the row describes was inserted, or is about to be; `first_time` is that of its first record, as text."""
        self._added.append((row, tail, first_time))

    def refuse(self, file: SourceFile, error: DamagedInputError) -> None:
        """Nothing of the file counts: that stands in the store as long as the rows that show it."""
        ledger.refuse(self.connection, file.path, file.source, self.settings, str(error), self.batch.now)

    def finish(self) -> list[FileOutcome]:
        """Everything but the records, and what there is to report once it is committed."""
        tallies, note = base_tables.finish(self.connection, self.batch)
        done = [replace(row, tally=tallies.get(row.batch_id, Tally())) for row, *_ in self._added]
        # Of a file of which nothing is new, and whose last line waits, there is one row.
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
        """What was moved is found again under its new name; what a path held before it was written again is missed.

        A path that another file was moved to lost its own content as by a deletion. Headers alone are all alike: none
        is another one, moved.
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
        """What is wrong with a file all of whose records were rejected, those of earlier runs included."""
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
    """Whether the file holds no whole line that is new, but the beginning of one."""
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
        message += f"; they are read again once the settings of [[source]] {row.file.source.name!r} are others"
    outcome = FileOutcome(path, "loaded", tally.records, tally.rejected, row.batch_id, message, is_done=is_done)
    return replace(outcome, waiting_bytes=waiting, open_quote_line=tail.open_quote_line)


def _why_skipped(tail: Tail) -> str:
    if tail.known is None:
        return "is empty"
    if tail.known.path == str(tail.opened.file.path):
        return "has the content that was loaded already; nothing was counted again"
    return f"same content as {tail.known.path}, which was loaded; nothing was counted again"
