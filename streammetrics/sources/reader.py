"""How a file is read: its plan, and the SQL that turns its lines or rows into records."""

import glob
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.errors import ConfigError, DamagedInputError
from streammetrics.sources import checks, delimited, json_lines, open_once, times
from streammetrics.sources.columns import CLIENT, ROLES, Columns, named, resolve
from streammetrics.sources.delimited import Head
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.snapshot import Snapshot
from streammetrics.store.statements import statement

KEPT_OF_REJECTS = 200
"""Characters of a rejected record that are stored."""

PLACE_BITS = 32
"""If several files are read together, the place of the file is stored above these bits of `line`."""

_ROWS = "select count(*) from read_parquet($path, hive_partitioning = false)"

_SAMPLE_RECORDS = 30

_NO_KEY = "\x1f"
"""A key that no object has, for sources without a client: the SQL always reads the same number of keys."""

_TYPES = "select column_name, column_type from (describe select * from read_parquet($path, hive_partitioning = false))"

# DuckDB reads these as doubles. Names in structs have no path: a name that occurs twice may be inside a struct.
_WIDE_DECIMALS = "select name from parquet_schema($path) group by name having count(*) = 1 and max(precision) > 38"

_TIMES = "select concat_ws(' ', cast(ts as varchar), if($has_clock, clock::varchar, null)) from found limit 1000"

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE].*)?")

_PLAIN_TYPES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")
_PLAIN_TEXTS = ("VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


@dataclass(frozen=True)
class Plan:
    """A file whose columns are known. `skipped`: the number of lines before the first record.

    `first_time` is the time of the first record without quotes, `guard` the form of the times (see
    `times.plain_guard`), and `builds` the builds of the first JSON lines.
    """

    file: SourceFile
    columns: Columns
    head: Head | None = None
    skipped: int = 0
    paths: tuple[json_lines.Path, ...] = ()
    first_time: str = ""
    guard: Mapping[str, str | None] | None = None
    builds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @property
    def dialect(self) -> tuple[object, ...]:
        """Files with the same dialect are read by one statement."""
        if self.head is None:
            pointers = (tuple(part) for part in json_lines.pointers(self.columns, self.paths))
            return (*pointers, repr(self.guard))
        return (self.head.delimiter, self.head.is_spaced, repr(self.guard))

    @property
    def has_header(self) -> bool:
        return self.head is not None and self.file.source.header


@dataclass(frozen=True)
class Reader:
    """The common table expressions that read a file, by name, and their parameters.

    `found`: lines or rows; `numbered`: the same with their numbers, which may be slower. `records` turns these into the
    relation `records` (line, reason, ts, build, code, stratum, client, content). `plain`, if there is one, is the fast
    reader of records that need no closer look; `others` selects the rest from the numbered ones. `unlike`, if there is
    one, is the part of the rest that cheap tests find. `rows`: the number of lines or rows.
    """

    found: Mapping[str, str]
    numbered: Mapping[str, str]
    records: Mapping[str, str]
    parameters: Mapping[str, object]
    plain: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    unlike: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0


def plan(
    connection: Connection,
    file: SourceFile,
    snapshot: Snapshot,
    *,
    header_line: int | None,
    is_begun: bool,
    is_part: bool = False,
    like: Plan | None = None,
) -> Plan:
    """Find the columns of a file, and look at its first records.

    Args:
        header_line: the line of the later header that applies to what is read.
        is_begun: the first lines were read before.
        is_part: the file has more than the snapshot.
        like: the plan of a text of the same source with the same first line, its header.

    Raises:
        ConfigError: columns are not found, or times of day have no date; the message says what to set.
        DamagedInputError: a Parquet file cannot be read as one.
    """
    if file.is_text:
        checks.require_text(file, snapshot.beginning)
    if file.format == "parquet":
        found, sample = _plan_parquet(connection, file, snapshot.path)
    elif file.format == "jsonl":
        texts = json_lines.sample(snapshot, named(file), is_part=is_part)
        if not texts:
            raise ConfigError(
                f"{file.path}: no line is a JSON object with keys; expected one object per line; "
                "`jq -c '.[]'` makes these of an array"
            )
        columns = resolve(file, list(dict.fromkeys(map(".".join, texts))))
        found = Plan(file, columns, paths=tuple(texts), builds=_texts_at(columns.names[columns.build], texts))
        parts = [_texts_at(columns.names[place], texts) for place in columns.times]
        sample = list(map(" ".join, zip(*parts, strict=False)))
    else:
        head = like.head if like and like.head else delimited.sniff(file, snapshot)
        columns = like.columns if like else delimited.columns(file, snapshot, head, header_line)
        lead = head.lead + file.source.header
        found = Plan(file, columns, head, 0 if is_begun else lead)
        records = delimited.times(snapshot, columns, head, lead, _SAMPLE_RECORDS)
        sample = list(islice(records, 1 if like else _SAMPLE_RECORDS))
    first_time = sample[0] if sample else ""
    checks.require_date(file, first_time)
    guard = None
    if file.source.timezone == "UTC" and file.source.time_format is None:
        guard = times.plain_guard(sample, like.guard if like else None)
    return replace(found, first_time=first_time, guard=guard)


def _texts_at(name: str, texts: Mapping[json_lines.Path, Sequence[str]]) -> tuple[str, ...]:
    return next((tuple(inner) for path, inner in texts.items() if ".".join(path) == name), ())


def _plan_parquet(connection: Connection, file: SourceFile, path: Path) -> tuple[Plan, list[str]]:
    parameters: dict[str, object] = {"path": glob.escape(str(path))}
    try:
        with connection.begin():
            types = {row.column_name: row.column_type for row in connection.exec_driver_sql(_TYPES, parameters)}
            columns = resolve(file, list(types))
            doubles = {name for name in columns.by_role.values() if types[name] == "DOUBLE"}
            wide = connection.exec_driver_sql(_WIDE_DECIMALS, parameters).scalars().all() if doubles else ()
            if misread := sorted(doubles.intersection(wide)):
                what = f"column {misread[0]!r} holds decimals of more than 38 digits, which DuckDB misreads"
                raise ConfigError(f"{file.path}: {what}: write it as text or as whole numbers")
            found = Plan(file, columns, types=tuple(types.values()))
            first = "\n".join(("with found as (", statement("jobs/parquet_rows"), ")", _TIMES))
            parameters |= {"has_clock": columns.clock is not None, **columns.by_role}
            sample = [ts for (ts,) in connection.exec_driver_sql(first, parameters) if ts]
    except DBAPIError as error:
        reported = open_once.named(str(error.orig), file.path)
        raise DamagedInputError(f"{file.path}: cannot be read as Parquet: {reported[:200]}") from None
    return found, sample


def plain_parameters(plan: Plan, *, has_escapes: bool = False) -> dict[str, object]:
    """The parameters of the fast statements; none if all times or fields of a text need a closer look."""
    if plan.guard is None or plan.columns.is_split:
        return {}
    has_client = plan.columns.client is not None
    found: dict[str, object] = {**plan.guard, "has_client": has_client}
    if plan.file.format == "parquet":
        return found
    if plan.head is None:
        pointers, _, keys = json_lines.pointers(plan.columns, plan.paths)
        if len(pointers) > len(ROLES) + has_client:
            return {}
        is_text = not any(_NUMBER.fullmatch(build) for build in plan.builds)
        types = {keys[0]: "VARCHAR", keys[2]: "VARCHAR" if is_text else "JSON", keys[3]: "VARCHAR"}
        types[keys[5] if has_client else _NO_KEY] = "VARCHAR"
        return found | {
            "plain_pointers": pointers,
            "json_columns": types,
            "is_build_text": is_text,
            "has_escapes": has_escapes,
        }
    if plan.head.is_spaced:
        return {}
    ts, _, build, code, _, client = plan.columns.places
    return found | {
        "ts_place": ts,
        "build_place": build,
        "code_place": code,
        "client_place": client,
        "client_name": CLIENT if has_client else "ts",
        "width": len(plan.columns.names),
        "columns": dict.fromkeys(plan.columns.aliases(), "VARCHAR"),
        "header": plan.file.source.header,
        "no_null": "\0NULL\0",
    }


def _parquet_parameters(plan: Plan) -> dict[str, object]:
    parameters: dict[str, object] = {
        "has_clock": plan.columns.clock is not None,
        "has_stratum": plan.columns.stratum is not None,
        "has_client": plan.columns.client is not None,
    }
    if plan.types[plan.columns.ts] not in ("VARCHAR", "BLOB") and plan.columns.clock is None:
        parameters["time_format"] = None
    return parameters


def cluster_reader(plan: Plan, places: Sequence[int]) -> Reader:
    """The rows of Parquet files that a cluster leaves to a closer look: see sql/jobs/cluster_found.sql."""
    found = {"found": statement("jobs/cluster_found")}
    parameters = {**_parquet_parameters(plan), "places": list(places)}
    return Reader(found, found, {"records": statement("jobs/parquet_records")}, parameters)


def parquet_reader(plan: Plan, path: Path, connection: Connection) -> Reader:
    """The rows of a Parquet file, which numbers them itself; in the caller's transaction."""
    parameters = {"path": glob.escape(str(path)), **plan.columns.by_role, **_parquet_parameters(plan)}
    ts, build, code = (plan.types[place] for place in (plan.columns.ts, plan.columns.build, plan.columns.code))
    found = {"found": statement("jobs/parquet_rows")}
    if not {build, code} <= {*_PLAIN_TEXTS}:
        plan = replace(plan, guard=None)
    elif ts in _PLAIN_TYPES and plan.file.source.timezone == "UTC":
        plan = replace(plan, guard={"shape": None, "expression": None})
    for_plain = plain_parameters(plan)
    plain = found | {"candidates": statement("jobs/plain_rows"), "plain": statement("jobs/plain_records")}
    return Reader(
        found,
        found,
        {"records": statement("jobs/parquet_records")},
        parameters | for_plain,
        plain if for_plain else {},
        plain,
        rows=connection.exec_driver_sql(_ROWS, {"path": parameters["path"]}).scalar_one(),
    )
