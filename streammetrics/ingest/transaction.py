"""What a transaction leaves in the store of its files: records, all that follows from them, and a row of each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.errors import DamagedInputError
from streammetrics.ingest import base_tables, counters_wide
from streammetrics.ingest.base_tables import Tally
from streammetrics.ingest.batch import Batch
from streammetrics.ingest.outcome import FileOutcome, all_rejected, rejected_copy, suspicion
from streammetrics.sources import byte_range, ledger, ledger_rows, refusals
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.ledger_rows import Entry
from streammetrics.sources.rotation import Whereabouts
from streammetrics.sources.tail import News
from streammetrics.store import builds


@dataclass
class Transaction:
    """Begun by the caller; the files have one source and day, and the batch a place for each."""

    connection: Connection
    batch: Batch
    settings: str
    whereabouts: Whereabouts
    _added: list[tuple[Entry, News, str]] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        connection: Connection,
        config: Config,
        files: Sequence[SourceFile],
        now: datetime,
        whereabouts: Whereabouts,
    ) -> "Transaction":
        batch = Batch.begin(connection, config, files, now)
        return cls(connection, batch, ledger.settings_of(config, files[0].source), whereabouts)

    def entry(self, place: int, found: News, fingerprint: str = "") -> Entry:
        """The row of the file at a place, its records not yet counted; it is a known content, or nothing, or new."""
        file, snapshot = found.opened.file, found.opened.bytes
        row = Entry(self.batch.batch_id + place, file, self.batch.now, self.settings)
        if found.start >= found.stop:
            if (known := found.known) is None:
                return row
            return replace(row, end=known.end, fingerprint=known.fingerprint, duplicate_of=known.batch_id)
        lines, prefix = None, snapshot.prefix(found.stop)
        row = replace(row, header_line=found.known.header_line if found.known else None)
        if found.is_small:
            lines = byte_range.lines_at(found, found.stop)
            fingerprint = hashlib.sha256(snapshot.read(found.start, found.stop)).hexdigest()
        row = replace(row, start=found.start, end=found.stop, fingerprint=fingerprint)
        return replace(row, head=found.head, prefix=prefix, lines=lines)

    def go_on(self, place: int, found: News) -> None:
        """What is inserted of the file at a place follows what is known of it."""
        if found.known is not None:
            self.batch.continued[place] = found.known.batch_id

    def add(self, entry: Entry, found: News, first_time: str = "") -> None:
        """What the row tells of was inserted, or is about to be; `first_time` is that of its first record, as text."""
        self._added.append((entry, found, first_time))

    def refuse(self, file: SourceFile, error: DamagedInputError) -> None:
        """Nothing of the file counts: that stands in the store as long as the rows that say so."""
        refusals.record(self.connection, file.path, file.source, self.settings, str(error), self.batch.now)

    def finish(self) -> list[FileOutcome]:
        """Everything but the records, and what there is to tell once it is committed."""
        tallies = base_tables.count(self.connection, self.batch.batch_id, self.batch.last_id)
        has_records = any(tally.records for tally in tallies.values())
        is_new = has_records and builds.update(self.connection, self.batch.batch_id)
        note = counters_wide.publish(self.connection) if is_new else ""
        done = [tallies.get(entry.batch_id, Tally()).counted(entry) for entry, *_ in self._added]
        # Of a file of which nothing is new, and whose last line waits, a row says so once.
        kept = [
            (entry, found)
            for entry, (_, found, _) in zip(done, self._added, strict=True)
            if not (_is_waiting(found) and found.is_placed)
        ]
        ledger_rows.record(self.connection, [entry for entry, _ in kept])
        for entry, found in kept:
            ledger_rows.supersede(self.connection, found.superseded, entry.batch_id)
        self._find_and_miss(kept)
        outcomes = [
            self._outcome(entry, found, first_time, tallies.get(entry.batch_id, Tally()))
            for entry, (_, found, first_time) in zip(done, self._added, strict=True)
        ]
        if note and outcomes:
            outcomes[-1] = replace(outcomes[-1], message="\n".join(filter(None, (outcomes[-1].message, note))))
        return outcomes

    def _find_and_miss(self, kept: Sequence[tuple[Entry, News]]) -> None:
        """What was moved is found again under its new name; what a path held before it was written anew is missed.

        A path that another file was moved to lost its own content as by a deletion. Headers alone are all alike: none
        is another one, moved.
        """
        headers = {entry.batch_id for entry, _ in kept if not (entry.records or entry.rejected)}
        for _, found, _ in self._added:
            if found.known is not None:
                self.whereabouts.find(self.connection, found.known.batch_id, found.opened.file.path)
        for _, found in kept:
            is_fresh = found.known is None or found.known.is_header or found.known.batch_id in headers
            if is_fresh and found.former is not None and not found.former.is_header:
                self.whereabouts.miss(self.connection, found.opened.file, found.former, self.batch.now)

    def _outcome(self, entry: Entry, found: News, first_time: str, tally: Tally) -> FileOutcome:
        outcome = _counts(entry, found, tally)
        error = self._problem(entry, found, first_time, tally)
        if error is not None:
            self.refuse(entry.file, error)
            outcome = replace(outcome, message=str(error), error=error)
        suspected = suspicion(entry.file.source, entry.file.path, entry.batch_id, tally, entry.loaded_at)
        return replace(outcome, message="\n".join(filter(None, (outcome.message, suspected))))

    def _problem(self, entry: Entry, found: News, first_time: str, tally: Tally) -> DamagedInputError | None:
        """What is wrong with a file all of whose records were rejected, those of earlier runs included."""
        path = entry.file.path
        if not entry.is_new:
            known = found.known
            is_copy = known is not None and known.is_rejected and known.start == 0 and known.path != str(path)
            return rejected_copy(path, known.path) if known is not None and is_copy else None
        if tally.records or not tally.misread:
            return None
        records, rejected = ledger.totals(self.connection, path) if found.start else (0, tally.rejected)
        return None if records else all_rejected(entry.file, rejected, tally.first_reject, first_time)


def _is_waiting(found: News) -> bool:
    """Whether the file holds no whole line that is new, but the beginning of one."""
    return found.start >= found.stop and not found.is_read


def _counts(entry: Entry, found: News, tally: Tally) -> FileOutcome:
    path, size = entry.file.path, found.opened.bytes.size
    is_known_to_count = found.known is None or not found.known.is_rejected
    counts = tally.records or (is_known_to_count if not entry.is_new else not tally.misread)
    waiting, is_done = size - max(found.start, found.stop), bool(counts and size in (entry.end, found.start))
    if _is_waiting(found):
        return FileOutcome(path, "skipped", waiting_bytes=waiting)
    if not entry.is_new:
        message = f"{path}: {_why_skipped(found)}"
        return FileOutcome(path, "skipped", batch_id=entry.batch_id, message=message, is_done=is_done)
    told = ""
    if tally.rejected:
        told = f"{path}: {tally.records:,} accepted, {tally.rejected:,} rejected; {tally.first_reject}"
    if not counts:
        told += f"; they are read again once the settings of [[source]] {entry.file.source.name!r} are others"
    return FileOutcome(
        path, "loaded", tally.records, tally.rejected, entry.batch_id, told, waiting_bytes=waiting, is_done=is_done
    )


def _why_skipped(found: News) -> str:
    if found.known is None:
        return "is empty"
    if found.known.path == str(found.opened.file.path):
        return "has the content that was loaded already; nothing was counted again"
    return f"same content as {found.known.path}, which was loaded; nothing was counted again"
