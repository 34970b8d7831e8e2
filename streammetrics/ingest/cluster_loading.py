"""Loads files on a cluster: files with the same first lines are one load, which is one transaction."""

import glob
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.config import Config
from streammetrics.engine import cluster_files
from streammetrics.engine.cluster_files import ClusterFile
from streammetrics.engine.cluster_load import Load, records_of
from streammetrics.engine.spark import UnreadableFileError
from streammetrics.errors import ConfigError, DamagedInputError, InputOutputError, StreammetricsError
from streammetrics.ingest import base_tables, cluster_lines, cluster_rows
from streammetrics.ingest.batch import Batch, Tally, record
from streammetrics.ingest.cluster_lines import Read
from streammetrics.ingest.cluster_rows import Content
from streammetrics.ingest.outcome import FileOutcome, failed, problem
from streammetrics.sources import reader
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.reader import Plan
from streammetrics.sources.snapshot import Snapshot
from streammetrics.sources.texts import Text
from streammetrics.store import arrow, retention
from streammetrics.store.statements import run

MOST_OTHERS = 500_000
MOST_OTHER_BYTES = 128_000_000
"""Most lines of a load that this machine reads for a closer look, because they are in memory at once."""

MOST_COUNTERS = 500_000
"""Counters of a part of a day; they are in memory at once."""

_SAMPLE_LINES = 1_000
_DAY_SECONDS = 86_400
_DAYS = "select distinct cast(ts as date) from events where batch_id between $batch_id and $last_id"


@dataclass(frozen=True)
class Found:
    """A file as the ledger and as the cluster know it."""

    file: SourceFile
    cluster: ClusterFile


class _HeaderError(Exception):
    """Line `line` of the file at `place` is a header of other columns, but the lines after it were read already."""

    def __init__(self, place: int, line: int) -> None:
        super().__init__(place, line)
        self.place, self.line = place, line


class _TooManyError(InputOutputError):
    """More lines need a closer look than this machine reads at once."""


@dataclass(frozen=True)
class Loader:
    """Loads files into a store through the cluster."""

    connection: Connection
    config: Config
    clock: Callable[[], datetime]
    scratch: Path

    def load(self, files: Sequence[Found]) -> Iterator[FileOutcome]:
        """Load files of one source, format and day; a file that fails does not stop the others.

        Raises:
            InputOutputError: the store itself failed.
        """
        while files:
            try:
                plan, lead = self._plan(files[0])
                outcomes, files = self._together(files, plan, lead)
                yield from outcomes
            except _HeaderError as error:
                path = files[error.place].file.path
                words = (
                    f"{path}: line {error.line:,} is a header of other columns, which a cluster cannot follow; "
                    f"`streammetrics ingest` with its name reads it on this machine"
                )
                yield failed(path, DamagedInputError(words))
                files = [one for place, one in enumerate(files) if place != error.place]
            except ConfigError as error:
                yield failed(files[0].file.path, error)
                files = files[1:]
            except (StreammetricsError, OSError, DBAPIError) as error:
                if len(files) > 1 and isinstance(error, UnreadableFileError | _TooManyError):
                    middle = len(files) // 2
                    yield from self.load(files[:middle])
                    yield from self.load(files[middle:])
                    return
                for one in files:
                    yield failed(one.file.path, problem(self.config.store_path, one.file.path, error))
                return

    def _plan(self, one: Found) -> tuple[Plan, list[bytes]]:
        """How the files are read, and the lines before the first record."""
        sample, lines = self.scratch / "sample", []
        if one.file.is_text:
            lines = cluster_files.first_lines(self.config.engine, one.cluster.path, _SAMPLE_LINES)
            sample.write_bytes(b"".join(line + b"\n" for line in lines))
        else:
            cluster_files.write_first_rows(self.config.engine, one.cluster.path, _SAMPLE_LINES, sample)
        snapshot = Snapshot(sample)
        if snapshot.codec != "utf-8":
            raise ConfigError(
                f"{one.file.path}: is {snapshot.codec.upper()}, and a cluster reads UTF-8; `streammetrics ingest` with "
                "its name reads it on this machine"
            )
        plan = reader.plan(self.connection, one.file, snapshot, header_line=None, is_begun=False, is_part=True)
        return plan, lines[: plan.skipped]

    def _together(
        self, files: Sequence[Found], plan: Plan, lead: Sequence[bytes]
    ) -> tuple[list[FileOutcome], list[Found]]:
        """The outcomes of files with the same first lines as the first file; and the other files."""
        now, name, clustered = self.clock(), uuid.uuid4().hex, [one.cluster for one in files]
        with self.connection.begin():
            cluster_rows.begin(self.connection, name)
            kept_from = retention.kept_from(self.connection)
        contents = self._contents(files)
        load = Load(self.config.engine, name, clustered, cluster_lines.columns_of(plan))
        limits = Batch(0, plan.file, now, self.config.ingest, kept_from, ()).parameters
        load.read(records_of(plan.file.format), {**limits, **cluster_lines.parameters_of(plan)})
        blocks = load.blocks()
        read = cluster_lines.read(blocks)
        _require(plan, read, contents)
        others = cluster_lines.numbered(load.others(), blocks) if plan.file.is_text else {}
        alike = {
            place: (files[place].file, contents.get(place))
            for place in range(len(files))
            if place not in read or _leads(others.get(place, {}), lead)
        }
        with self.connection.begin():
            batch = Batch.begin(self.connection, self.config, [one.file for one in files], now)
            rows, outcomes = cluster_rows.rows(self.connection, self.config, batch, alike)
            new = [place for place, row in rows.items() if row.is_new]
            if plan.file.is_text:
                self._add_lines(plan, batch, {place: others.get(place, {}) for place in new})
            elif any(read[place].others for place in new):
                arrow.put(self.connection, "cluster_rows", load.other_rows())
                base_tables.stage(self.connection, reader.cluster_reader(plan, new), batch)
                base_tables.add_staged(self.connection, batch)
            if new:
                self._add_counters(load, batch, new)
            elsewhere = {batch.batch_id + place: read[place].tally for place in new}
            tallies, note = base_tables.finish(self.connection, batch, elsewhere)
            rows = {place: replace(row, tally=tallies.get(row.batch_id, Tally())) for place, row in rows.items()}
            record(self.connection, list(rows.values()))
            cluster_rows.publish(self.connection, name, {place: (rows[place], read[place].tally) for place in new})
            outcomes += [cluster_rows.outcome(rows[place], plan.first_time) for place in new]
        if note:
            outcomes.append(FileOutcome(files[0].file.path, "skipped", message=note))
        return outcomes, [one for place, one in enumerate(files) if place not in alike]

    def _contents(self, files: Sequence[Found]) -> dict[int, Content]:
        clustered, are_texts = [one.cluster for one in files], files[0].file.is_text
        found = cluster_files.contents(self.config.engine, clustered, are_texts=are_texts)
        return {place: Content(*found[one.uri]) for place, one in enumerate(clustered) if one.uri in found}

    def _add_lines(self, plan: Plan, batch: Batch, others: Mapping[int, Mapping[int, bytes]]) -> None:
        text = Text(plan, self.scratch / "text")
        for place, lines in others.items():
            text.add_lines(place, {number: line for number, line in lines.items() if number > plan.skipped})
        if not text.lines:
            return
        text.path.write_bytes(text.content)
        base_tables.insert_small(self.connection, text.reader, batch, partial(text.reread, self.connection))
        for section in text.sections:
            if section.reason or section.columns != plan.columns:
                raise _HeaderError(section.place, (section.first_line + section.before) & 0xFFFFFFFF)

    def _add_counters(self, load: Load, batch: Batch, places: Sequence[int]) -> None:
        """Insert counters in parts of days, so that neither this process nor Spark's driver holds more than a part.

        They pass through a file, because DuckDB keeps an Arrow table until the transaction ends.
        """
        from pyarrow import parquet

        path = self.scratch / "counters.parquet"
        ids = {"batch_id": batch.batch_id, "last_id": batch.last_id}
        counted, here = load.count(places), self.connection.exec_driver_sql(_DAYS, ids).scalars()
        for day in sorted({*counted, *here}):
            parts = 1 + counted.get(day, 0) // MOST_COUNTERS
            start = datetime.combine(day, time())
            cuts = [start + timedelta(seconds=_DAY_SECONDS * part // parts) for part in range(parts + 1)]
            for first, until in pairwise(cuts):
                part = {"from_ts": first, "until_ts": until, "path": glob.escape(str(path))}
                parquet.write_table(load.counters(day, first, until), path)
                run(self.connection, "jobs/add_cluster_counters", {**ids, **part})


def _require(plan: Plan, read: Mapping[int, Read], contents: Mapping[int, Content]) -> None:
    """Raise if files changed while they were read, or too many lines need a closer look."""
    lines = {place: one.lines for place, one in read.items()}
    if lines != {place: content.lines for place, content in contents.items()}:
        raise InputOutputError(
            f"{plan.file.path}, or one beside it: was written to while it was read; nothing was loaded"
        )
    others, total = sum(one.others for one in read.values()), sum(lines.values())
    if others > MOST_OTHERS or sum(one.other_bytes for one in read.values()) > MOST_OTHER_BYTES:
        raise _TooManyError(
            f"[[source]] {plan.file.source.name!r}: {others:,} of {total:,} new lines need a closer look, too many for "
            "this machine: docs/spark.md says which lines a cluster takes"
        )


def _leads(lines: Mapping[int, bytes], lead: Sequence[bytes]) -> bool:
    """Whether a file begins with the same lines, before its first record, as another one."""
    return all(lines.get(number) == line for number, line in enumerate(lead, start=1))
