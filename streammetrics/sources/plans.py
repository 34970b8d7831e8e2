"""What is known of a file before its records are read: its columns, and what its first times and builds are like."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.errors import ConfigError, DamagedInputError
from streammetrics.sources import delimited, json_lines, open_once, times
from streammetrics.sources.columns import Columns, named, resolve
from streammetrics.sources.delimited import Head
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.encoding import FileBytes
from streammetrics.store.statements import statement

_SAMPLE_RECORDS = 30

_TYPES = "select column_name, column_type from (describe select * from read_parquet($path, hive_partitioning = false))"

_TIMES = "select cast(ts as varchar) from found limit 1000"


@dataclass(frozen=True)
class Plan:
    """A file whose columns are known. `skipped`: so many lines stand before the first record.

    `first_time` is that of the first record which can be split without care, `guard` what times are like (see
    `times.plain_guard`), and `builds` those of the first JSON lines.
    """

    file: SourceFile
    columns: Columns
    head: Head | None = None
    skipped: int = 0
    paths: tuple[json_lines.Path, ...] = ()
    first_time: str = ""
    guard: Mapping[str, object] | None = None
    builds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @property
    def dialect(self) -> tuple[object, ...]:
        """Files of which this is the same are read by one statement."""
        if self.head is None:
            pointers = (tuple(part) for part in json_lines.pointers(self.columns, self.paths))
            return (*pointers, repr(self.guard))
        return (self.head.delimiter, self.head.is_spaced, repr(self.guard))

    @property
    def has_header(self) -> bool:
        return self.head is not None and self.file.source.header


def numbered_rows(columns: Columns) -> str:
    """The rows of a Parquet file (line, ts, build, code); its parameters are $path and `columns.by_role`."""
    return statement("jobs/parquet_rows" if columns.clock is None else "jobs/parquet_clock_rows")


def plan(
    connection: Connection, file: SourceFile, file_bytes: FileBytes, *, header_line: int | None, is_begun: bool
) -> Plan:
    """Find the columns of a file, and look at its first records.

    Args:
        header_line: of a later header by which what is to be read is read.
        is_begun: the first lines were read before.

    Raises:
        ConfigError: columns are not found, or times of day have no date; the message says what to set.
        DamagedInputError: a Parquet file that is none.
    """
    if file.format == "parquet":
        found, sample = _plan_parquet(connection, file, file_bytes.path)
    elif file.format == "jsonl":
        texts = json_lines.sample(file_bytes, named(file))
        columns = resolve(file, list(dict.fromkeys(map(".".join, texts))))
        found = Plan(file, columns, paths=tuple(texts), builds=_texts_at(columns.names[columns.build], texts))
        parts = [_texts_at(columns.names[place], texts) for place in columns.times]
        sample = list(map(" ".join, zip(*parts, strict=False)))
    else:
        head = delimited.sniff(file, file_bytes)
        columns = delimited.columns(file, file_bytes, head, header_line)
        lead = head.lead + file.source.header
        found = Plan(file, columns, head, 0 if is_begun else lead)
        sample = list(islice(delimited.times(file_bytes, columns, head, lead, _SAMPLE_RECORDS), _SAMPLE_RECORDS))
    first_time = sample[0] if sample else ""
    _require_date(file, first_time)
    has_guard = file.source.timezone == "UTC" and file.source.time_format is None
    return replace(found, first_time=first_time, guard=times.plain_guard(sample) if has_guard else None)


def _texts_at(name: str, texts: Mapping[json_lines.Path, Sequence[str]]) -> tuple[str, ...]:
    return next((tuple(inner) for path, inner in texts.items() if ".".join(path) == name), ())


def _plan_parquet(connection: Connection, file: SourceFile, path: Path) -> tuple[Plan, list[str]]:
    parameters = {"path": glob.escape(str(path))}
    try:
        with connection.begin():
            types = {row.column_name: row.column_type for row in connection.exec_driver_sql(_TYPES, parameters)}
            columns = resolve(file, list(types))
            found = Plan(file, columns, types=tuple(types.values()))
            first = "\n".join(("with found as (", numbered_rows(columns), ")", _TIMES))
            sample = [ts for (ts,) in connection.exec_driver_sql(first, {**parameters, **columns.by_role}) if ts]
    except DBAPIError as error:
        reported = open_once.named(str(error.orig), file.path)
        raise DamagedInputError(f"{file.path}: cannot be read as Parquet: {reported[:200]}") from None
    return found, sample


def _require_date(file: SourceFile, first_time: str) -> None:
    if not times.is_time_of_day(first_time) or file.day() is not None or file.source.time_format is not None:
        return
    where = f"[[source]] {file.source.name!r}"
    if file.source.date == "name":
        raise ConfigError(
            f'{file.path}: holds times of day, and date = "name" of {where} finds no YYYY-MM-DD or YYYYMMDD in its name'
        )
    raise ConfigError(
        f"{file.path}: the first time is {first_time.strip()}, a time of day; set date of {where} "
        'to the day it belongs to, such as date = "2026-11-23", or to "name" where the file\'s name has it; where '
        'another column has it, name both: columns = { ts = ["date", "time"] }'
    )
