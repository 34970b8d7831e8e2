"""How a file is read: by DuckDB's own reader where nothing is wrong with it, else record by record.

Both ways end as one relation in SQL, so that both give the same.
"""

import glob
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.errors import ConfigError, DamagedInputError
from streammetrics.sources import delimited, first_lines, held, json_lines, times
from streammetrics.sources.columns import Columns, named, resolve
from streammetrics.sources.content import Content
from streammetrics.sources.delimited import Head
from streammetrics.sources.files import SourceFile
from streammetrics.sources.records import LONGEST_RECORD, Record, write_scratch
from streammetrics.statements import statement

_SAMPLE_RECORDS = 1000
_PORTION_RECORDS = 200_000

# Each character may take four bytes, and a quote is doubled.
_SCRATCH_BYTES = {"longest_bytes": 8 * LONGEST_RECORD, "buffer_bytes": 16 * LONGEST_RECORD}

# No value may turn into NULL on its way: a text that files do not hold stands for it.
_DIALECT = r"""auto_detect = false, header = $header, quote = '"', escape = '"', strict_mode = true,
    null_padding = false, compression = 'none', hive_partitioning = false, nullstr = '\0NULL\0'"""

_CSV = "\n".join(
    (
        "select 0 as line, '' as reason, {time} as ts, build, code, '' as content from read_csv(",
        "    $path, columns = $columns, delim = $delimiter, max_line_size = $longest_bytes,",
        _DIALECT,
        ")",
    )
)

_SCRATCH = r"""
select cast(line as bigint) as line, reason, ts, build, code, content from read_csv(
    $path, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\n',
    compression = 'none', hive_partitioning = false, nullstr = '\0NULL\0', allow_quoted_nulls = false,
    max_line_size = $longest_bytes, buffer_size = $buffer_bytes,
    columns = {line: 'VARCHAR', reason: 'VARCHAR', ts: 'VARCHAR', build: 'VARCHAR', code: 'VARCHAR', content: 'VARCHAR'}
)
"""

_PARQUET_TYPES = """
select column_name, column_type from (describe select * from read_parquet($path, hive_partitioning = false))
"""


@dataclass(frozen=True)
class Reading:
    """A SELECT that gives records (line, reason, ts, build, code, content), all but line text, and its parameters.

    `plain_guard`: the condition under which a bare cast reads the times; empty where `typed` must. `records`: how many
    there are; None where that is not known.
    """

    select: str
    parameters: Mapping[str, object]
    plain_guard: str = ""
    records: int | None = None


@dataclass(frozen=True)
class Plan:
    """A file whose columns are known. `has_text_times`: False where a Parquet file has times or numbers as such.

    `first_time` is that of the first record which the reader takes.
    """

    file: SourceFile
    content: Content
    columns: Columns
    head: Head | None = None
    has_text_times: bool = True
    first_time: str = ""

    def quick(self, *, is_plain: bool) -> Reading | None:
        """Without line numbers, for files without rejects; None where DuckDB's reader is not for this file."""
        if self.file.format == "parquet":
            return self.parquet()
        # With `skip`, DuckDB 1.5 loses all records behind a byte order mark and a quoted line, without a word.
        if self.head is None or self.head.lead or self.head.is_spaced or not is_plain:
            return None
        source = self.file.source
        sample = [record.ts for record in islice(self.records(), _SAMPLE_RECORDS) if not record.reason]
        return Reading(
            _CSV.replace("{time}", self.columns.time_sql),
            {
                "path": glob.escape(str(self.content.path)),
                "columns": dict.fromkeys(self.columns.aliases(), "VARCHAR"),
                "delimiter": self.head.delimiter,
                "header": source.header,
                # Python's reader counts characters: what this one takes that one takes, too.
                "longest_bytes": LONGEST_RECORD // 2,
            },
            times.plain_guard(sample) if source.timezone == "UTC" and source.time_format is None else "",
        )

    def careful(self, scratch: Path) -> Iterator[Reading]:
        """With line numbers and reasons; text goes through files in `scratch`, a portion of the records in each."""
        if self.file.format == "parquet":
            yield self.parquet()
            return
        yield from through(self.records(), scratch)

    def records(self) -> Iterator[Record]:
        """The records of a text."""
        if self.head is None:
            return json_lines.read(self.content, self.columns)
        return delimited.read(self.file, self.content, self.columns, self.head)

    def parquet(self) -> Reading:
        """The rows of a Parquet file, of which it tells the numbers itself."""
        found = (
            f"with found as (select file_row_number + 1 as line, {self.columns.time_sql} as ts, build, code",
            "from read_parquet($path, file_row_number = true, hive_partitioning = false) as rows (",
            ", ".join(self.columns.aliases()),
            "))",
        )
        select = "\n".join((*found, "select * from (", statement("jobs/parquet_records"), ")"))
        parameters: dict[str, object] = {"path": glob.escape(str(self.content.path))}
        return Reading(select, parameters if self.has_text_times else {**parameters, "time_format": None})


def through(records: Iterator[Record], scratch: Path) -> Iterator[Reading]:
    """Records as Python read them, by way of files in `scratch`, a portion of them in each."""
    for number in count():
        path = scratch / f"records-{number}.csv"
        written = write_scratch(path, islice(records, _PORTION_RECORDS))
        if not written:
            return
        yield Reading(_SCRATCH, {"path": glob.escape(str(path)), **_SCRATCH_BYTES}, records=written)
        path.unlink()


def plan(connection: Connection, file: SourceFile, content: Content, whole: Content) -> Plan:
    """Find the columns of a content, which may be a range of the `whole`, and look at the first records.

    Raises:
        ConfigError: columns are not found, or times of day have no date; the message says what to set.
        DamagedInputError: a Parquet file that is none.
    """
    if file.format == "parquet":
        found, first_time = _plan_parquet(connection, file, content)
    else:
        if file.format == "jsonl":
            found = Plan(file, content, resolve(file, json_lines.keys(whole, named(file))))
        else:
            # Without a header, the first line of a part may be like no other.
            head = delimited.sniff(file, content if file.source.header else whole)
            found = Plan(file, content, first_lines.columns(file, head.delimiter, head.fields), head)
        first_time = next((record.ts for record in found.records() if not record.reason), "")
    _require_date(file, first_time)
    return replace(found, first_time=first_time)


def _plan_parquet(connection: Connection, file: SourceFile, content: Content) -> tuple[Plan, str]:
    parameters = {"path": glob.escape(str(content.path))}
    try:
        with connection.begin():
            rows = connection.exec_driver_sql(_PARQUET_TYPES, parameters)
            types = {row.column_name: row.column_type for row in rows}
            columns = resolve(file, list(types))
            is_text = types[columns.names[columns.ts]] in ("VARCHAR", "BLOB")
            found = Plan(file, content, columns, has_text_times=is_text or columns.clock is not None)
            first = "\n".join(("select ts from (", found.parquet().select, ") limit 1"))
            first_time = connection.exec_driver_sql(first, parameters).scalar_one_or_none()
    except DBAPIError as error:
        said = held.named(str(error.orig), file.path)
        raise DamagedInputError(f"{file.path}: cannot be read as Parquet: {said[:200]}") from None
    return found, first_time or ""


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
