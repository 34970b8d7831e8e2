"""What a transaction leaves in the store of its files: records, all that follows from them, and a row of each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from streammetrics import retention, versions, wide
from streammetrics.config import Config
from streammetrics.ingest.outcome import FileOutcome
from streammetrics.sources import entries, ledger, load, parts
from streammetrics.sources.entries import Entry
from streammetrics.sources.files import SourceFile
from streammetrics.sources.load import Batch, Tally
from streammetrics.sources.news import News
from streammetrics.sources.whereabouts import Whereabouts


@dataclass
class Transaction:
    """Begun by the caller; the files have one source and day, and the batch a place for each."""

    connection: Connection
    batch: Batch
    settings: str
    whereabouts: Whereabouts
    _added: list[tuple[Entry, News]] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        connection: Connection,
        config: Config,
        files: Sequence[SourceFile],
        now: datetime,
        whereabouts: Whereabouts,
    ) -> "Transaction":
        first = entries.next_batch_id(connection, len(files))
        paths = tuple(str(file.path) for file in files)
        kept_from = retention.kept_from(connection)
        batch = Batch(first, files[0], now, config.ingest.future_limit_seconds, kept_from, paths)
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
        if found.is_small:
            lines = parts.lines_at(found, found.stop)
            fingerprint = hashlib.sha256(snapshot.read(found.start, found.stop)).hexdigest()
        row = replace(row, start=found.start, end=found.stop, fingerprint=fingerprint)
        return replace(row, head=found.head, prefix=prefix, lines=lines)

    def add(self, entry: Entry, found: News) -> None:
        """What the row tells of was inserted, or is about to be."""
        self._added.append((entry, found))

    def finish(self) -> list[FileOutcome]:
        """Everything but the records, and what there is to tell once it is committed."""
        tallies = load.count(self.connection, self.batch.batch_id, self.batch.last_id)
        has_records = any(tally.records for tally in tallies.values())
        is_new = has_records and versions.update_builds(self.connection, self.batch.batch_id)
        note = wide.publish(self.connection) if is_new else ""
        done = [_counted(entry, tallies.get(entry.batch_id, Tally())) for entry, _ in self._added]
        # Of a file of which nothing is new, and whose last line waits, a row says so once.
        kept = [
            (entry, found)
            for entry, (_, found) in zip(done, self._added, strict=True)
            if not (_is_waiting(found) and found.is_placed)
        ]
        entries.record(self.connection, [entry for entry, _ in kept])
        for entry, found in kept:
            entries.supersede(self.connection, found.superseded, entry.batch_id)
        self._find_and_miss(kept)
        outcomes = [
            _outcome(entry, found, tallies.get(entry.batch_id, Tally()))
            for entry, (_, found) in zip(done, self._added, strict=True)
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
        for _, found in self._added:
            if found.known is not None:
                self.whereabouts.find(self.connection, found.known.batch_id, found.opened.file.path)
        for _, found in kept:
            is_fresh = found.known is None or found.known.is_header or found.known.batch_id in headers
            if is_fresh and found.former is not None and not found.former.is_header:
                self.whereabouts.miss(self.connection, found.opened.file, found.former, self.batch.now)


def _counted(entry: Entry, tally: Tally) -> Entry:
    counted = replace(entry, records=tally.records, rejected=tally.rejected)
    return replace(counted, min_ts=tally.min_ts, max_ts=tally.max_ts)


def _is_waiting(found: News) -> bool:
    """Whether the file holds no whole line that is new, but the beginning of one."""
    return found.start >= found.stop and not found.is_read


def _outcome(entry: Entry, found: News, tally: Tally) -> FileOutcome:
    path, size = entry.file.path, found.opened.bytes.size
    counts = tally.records or not tally.misread
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
        told += f"\n{path}: nothing of it counts: once the settings of [[source]] {entry.file.source.name!r} "
        told += "are mended it is read again"
    return FileOutcome(
        path, "loaded", tally.records, tally.rejected, entry.batch_id, told, waiting_bytes=waiting, is_done=is_done
    )


def _why_skipped(found: News) -> str:
    if found.known is None:
        return "is empty"
    if found.known.path == str(found.opened.file.path):
        return "has the content that was loaded already; nothing was counted again"
    return f"same content as {found.known.path}, which was loaded; nothing was counted again"
