"""`make relations`: docs/relations.md on stdout."""

from sqlalchemy import Connection

from streammetrics.store import comments, views
from tests.streams import empty_store

_PAGE = """# Relations

What `streammetrics query` and any DuckDB shell can query. The comments stand in the store as well:

    select column_name, comment from duckdb_columns() where table_name = 'alerts'

Relations that are not listed are steps of the analysis: `sql/views/` has them, with a header each. This page is made by
`make relations` from `sql/comments.csv`.
"""
_HEADER = ("| column | type | |", "|---|---|---|")


def page(connection: Connection) -> str:
    """docs/relations.md, of the relations that the store has."""
    found: dict[str, list[comments.Column]] = {}
    for one in comments.columns(connection):
        found.setdefault(one.relation, []).append(one)
    parts = [_PAGE]
    for relation, held in found.items():
        rows = [f"| `{one.name}` | {one.type.lower()} | {one.comment} |" for one in held]
        parts.append("\n".join([f"## {relation}", "", comments.relations()[relation], "", *_HEADER, *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    with empty_store() as connection:
        with connection.begin():
            views.publish(connection)
        print(page(connection), end="")
