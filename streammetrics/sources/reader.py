"""How files are read: what DuckDB makes of their lines or rows, as one relation of records in SQL."""

import glob
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.sources import json_lines
from streammetrics.sources.columns import ROLES, Columns, folded, known
from streammetrics.sources.plain import LONGEST_RECORD
from streammetrics.sources.plans import Plan, numbered_rows
from streammetrics.store.statements import statement

KEPT_OF_REJECTS = 200
"""Characters of a rejected record that are stored."""

PLACE_BITS = 32
"""Where records of several files are read together, the file's place among them stands above these bits of `line`."""

_ROWS = "select count(*) from read_parquet($path, hive_partitioning = false)"

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE].*)?")

_PLAIN_TYPES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")
_PLAIN_TEXTS = ("VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


@dataclass(frozen=True)
class Reader:
    """What is read, as common table expressions by name, and their parameters.

    `found`: lines or rows; `numbered`: the same with their numbers, which may take longer. `records` makes of these the
    relation of that name (line, reason, ts, build, code, content). `plain`, where there is one, is the relation of what
    needs no closer look, read as fast as can be, and `others`, of the numbered ones, that of the rest. `rows`: so many
    lines or rows there are.
    """

    found: Mapping[str, str]
    numbered: Mapping[str, str]
    records: Mapping[str, str]
    parameters: Mapping[str, object]
    plain: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True)
class Section:
    """Lines of a text that are read by the same columns.

    `first_line`: from 1, of the text as it is read. `before`: what is to be added to a line's number for that in its
    file, the file's place included. `reason`: why none of the lines can be read, if so.
    """

    first_line: int
    before: int
    columns: Columns
    reason: str = ""

    @property
    def place(self) -> int:
        """That of its file among those that are read together."""
        return (self.first_line + self.before) >> PLACE_BITS


def text_reader(
    plan: Plan,
    path: Path,
    sections: Sequence[Section],
    skipped: int = 0,
    rows: int | None = None,
    *,
    is_marked: bool = True,
    is_whole: bool = False,
    has_quotes: bool = True,
) -> Reader:
    """The reader of a text, all of whose lines but some `skipped` ones lie in sections.

    Args:
        is_marked: it was made plain.
        is_whole: DuckDB's own readers may read it as well, for it is one file from its beginning.
        has_quotes: it has one, or a backslash in JSON lines.
    """
    parameters: dict[str, object] = {
        "path": glob.escape(str(path)),
        "skipped": skipped,
        "befores": [section.before for section in sections],
        "places": [section.columns.places for section in sections],
        "widths": [len(section.columns.names) for section in sections],
        "names": [folded(section.columns.names) for section in sections] if plan.has_header else [[""]],
        "reasons": [section.reason for section in sections],
        "longest_record": LONGEST_RECORD,
        "kept_of_rejects": KEPT_OF_REJECTS,
        "first_lines": [section.first_line for section in sections],
    }
    is_alike = all((one.columns, one.reason) == (sections[0].columns, "") for one in sections)
    is_located = is_alike and (len(sections) > 1 or sections[0].place > 0)
    if is_located:
        firsts = [section.first_line for section in sections]
        lasts = [first - 1 for first in (*firsts[1:], (rows or 0) + 1)]
        parameters |= {"added": parameters["befores"], "befores": [0], "last_lines": lasts}
    if plan.head is None:
        pointers, stops, keys = json_lines.pointers(plan.columns, plan.paths)
        parameters |= {"pointers": pointers, "stops": stops, "keys": keys}
    else:
        sign = f"\\x{{{ord(plan.head.delimiter):x}}}"
        blanks = " *" if plan.head.is_spaced else ""
        parameters |= {
            "has_quotes": has_quotes,
            "delimiter": plan.head.delimiter,
            "field": f'{sign}{blanks}("(?:[^"]|"")*"|[^"{sign}][^{sign}]*|)',
            "is_spaced": plan.head.is_spaced,
            "has_header": plan.has_header,
            "known_names": known(plan.file) if plan.has_header else [[], [], []],
        }
    placed_by, kind = (
        "jobs/one_section" if is_alike else "jobs/sections",
        "jobs/json_records" if plan.head is None else "jobs/delimited_records",
    )
    read = {"read": statement("jobs/marked_lines" if is_marked else "jobs/lines")}
    found = read | {"lines": "select *, 0 as line from read"}
    numbered = read | {"lines": "select *, row_number() over () as line from read"}
    if is_located:
        joined = {"joined": numbered["lines"], "lines": statement("jobs/located_lines")}
        numbered = found = read | joined
    plain_parameters = _plain_parameters(plan, has_escapes=has_quotes) if is_alike else {}
    named = {"found_values": "jobs/line_values", "candidates": "jobs/plain_values", "plain": "jobs/plain_records"}
    if plan.head is not None:
        named = {"candidates": "jobs/plain_lines", "plain": "jobs/plain_records"}
    others = numbered | {name: statement(text) for name, text in named.items()}
    own = {"found_values": "jobs/read_values"} if plan.head is None else {"candidates": "jobs/read_fields"}
    plain = {name: statement(text) for name, text in (named | own).items()}
    if not is_whole:
        plain = found | {name: statement(text) for name, text in named.items()}
    return Reader(
        found if is_alike else numbered,
        numbered,
        {"placed": statement(placed_by), "records": statement(kind)},
        parameters | plain_parameters,
        plain if plain_parameters else {},
        others,
        rows,
    )


def _plain_parameters(plan: Plan, *, has_escapes: bool = False) -> dict[str, object]:
    """Those of the statements on what needs no closer look; none where a text's times or fields all need one."""
    if plan.guard is None or not plan.columns.are_three:
        return {}
    found: dict[str, object] = dict(plan.guard)
    if plan.file.format == "parquet":
        return found
    if plan.head is None:
        pointers, _, keys = json_lines.pointers(plan.columns, plan.paths)
        if len(pointers) > len(ROLES):
            return {}
        is_text = not any(_NUMBER.fullmatch(build) for build in plan.builds)
        types = {keys[0]: "VARCHAR", keys[2]: "VARCHAR" if is_text else "JSON", keys[3]: "VARCHAR"}
        return found | {
            "plain_pointers": pointers,
            "json_columns": types,
            "is_build_text": is_text,
            "has_escapes": has_escapes,
        }
    if plan.head.is_spaced:
        return {}
    ts, _, build, code, _ = plan.columns.places
    return found | {
        "ts_place": ts,
        "build_place": build,
        "code_place": code,
        "width": len(plan.columns.names),
        "columns": dict.fromkeys(plan.columns.aliases(), "VARCHAR"),
        "header": plan.file.source.header,
        "no_null": "\0NULL\0",
    }


def parquet_reader(plan: Plan, path: Path, connection: Connection) -> Reader:
    """The rows of a Parquet file, which numbers them itself; in the caller's transaction."""
    parameters: dict[str, object] = {"path": glob.escape(str(path)), **plan.columns.by_role}
    parameters["has_stratum"] = plan.columns.stratum is not None
    ts, build, code = (plan.types[place] for place in (plan.columns.ts, plan.columns.build, plan.columns.code))
    if ts not in ("VARCHAR", "BLOB") and plan.columns.clock is None:
        parameters["time_format"] = None
    found = {"found": numbered_rows(plan.columns)}
    if not {build, code} <= {*_PLAIN_TEXTS}:
        plan = replace(plan, guard=None)
    elif ts in _PLAIN_TYPES and plan.file.source.timezone == "UTC":
        plan = replace(plan, guard={"shape": None, "expression": None})
    plain_parameters = _plain_parameters(plan)
    plain = found | {"candidates": statement("jobs/plain_rows"), "plain": statement("jobs/plain_records")}
    return Reader(
        found,
        found,
        {"records": statement("jobs/parquet_records")},
        parameters | plain_parameters,
        plain if plain_parameters else {},
        plain,
        connection.exec_driver_sql(_ROWS, {"path": parameters["path"]}).scalar_one(),
    )
