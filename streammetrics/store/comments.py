"""What relations and columns mean, as comments in the store: the rows of sql/comments.csv.

A relation that has no comment is a step of the analysis; lists leave it out. A column means the same wherever it is,
`*`, but where a relation has a row of its own for it.
"""

import csv
from dataclasses import dataclass

from sqlalchemy import Connection

from streammetrics.store.statements import folder, run


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


def _comments() -> dict[tuple[str, str], str]:
    with (folder() / "comments.csv").open(encoding="utf-8", newline="") as file:
        return {(row["relation"], row["column"]): row["comment"] for row in csv.DictReader(file)}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
