"""What relations and columns mean, as comments in the store: the rows of sql/comments.csv.

A relation that has no comment is a step of the analysis; lists leave it out. A column means the same wherever it is,
`*`, but where a relation has a row of its own for it.
"""

import csv
from dataclasses import dataclass

from sqlalchemy import Connection

from streammetrics.store.statements import folder, run

_PAGE = """# Relations

What `streammetrics query` and any DuckDB shell can query. The comments stand in the store as well:

    select column_name, comment from duckdb_columns() where table_name = 'alerts'

Relations that are not listed are steps of the analysis: `sql/views/` has them, with a header each. This page is made by
`make relations` from `sql/comments.csv`.
"""
_HEADER = ("| column | type | |", "|---|---|---|")


@dataclass(frozen=True)
class Column:
    """A column of a relation of the store; `comment` is None if there is none."""

    relation: str
    name: str
    type: str
    comment: str | None


def relations() -> dict[str, str]:
    """The relations that people query, each with what a row of it is."""
    return {relation: comment for (relation, column), comment in _comments().items() if not column}


def listed(connection: Connection) -> list[str]:
    """Those of them that the store has, sorted."""
    return sorted(relations().keys() & {row.name for row in run(connection, "reports/stored_relations")})


def columns(connection: Connection) -> list[Column]:
    """Their columns, in order."""
    comments = _comments()
    rows = run(connection, "reports/commented_columns", {"relations": list(relations())})
    return [
        Column(relation, name, kind, comments.get((relation, name), comments.get(("*", name))))
        for relation, name, kind in rows
    ]


def names() -> list[str]:
    """Names of columns that have a comment, alone or behind that of a relation."""
    return [column if relation == "*" else f"{relation}.{column}" for relation, column in _comments() if column]


def put(connection: Connection) -> None:
    """Write the comments into the store, after its views; in the caller's transaction."""
    kinds = {row.name: row.kind for row in run(connection, "reports/stored_relations")}
    statements = [
        f"comment on {kinds[relation]} {relation} is {_literal(comment)}"
        for relation, comment in relations().items()
        if relation in kinds
    ]
    statements += [
        f"comment on column {one.relation}.{one.name} is {_literal(one.comment)}"
        for one in columns(connection)
        if one.comment is not None
    ]
    connection.exec_driver_sql(";\n".join(statements))


def page(connection: Connection) -> str:
    """docs/relations.md, of the relations that the store has."""
    found: dict[str, list[Column]] = {}
    for one in columns(connection):
        found.setdefault(one.relation, []).append(one)
    parts = [_PAGE]
    for relation, held in found.items():
        rows = [f"| `{one.name}` | {one.type.lower()} | {one.comment} |" for one in held]
        parts.append("\n".join([f"## {relation}", "", relations()[relation], "", *_HEADER, *rows, ""]))
    return "\n".join(parts)


def _comments() -> dict[tuple[str, str], str]:
    with (folder() / "comments.csv").open(encoding="utf-8", newline="") as file:
        return {(row["relation"], row["column"]): row["comment"] for row in csv.DictReader(file)}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
