"""Every relation that people ask, and every column of it, says what it is: in the store and in docs/relations.md."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from streammetrics.store import comments, statements, views
from tests import relations_page
from tests.streams import empty_store

PAGE = Path(__file__).parents[2] / "docs" / "relations.md"


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        with connection.begin():
            views.publish(connection)
            comments.put(connection)
        yield connection


def test_every_column_has_a_comment_and_every_comment_a_column(store: Connection) -> None:
    listed = comments.columns(store)
    assert [one for one in listed if not one.comment] == []
    assert set(comments.relations()) - {one.relation for one in listed} == {"counters_wide"}
    names = {one.name for one in listed} | {f"{one.relation}.{one.name}" for one in listed}
    with (statements.folder() / "comments.csv").open(encoding="utf-8", newline="") as file:
        keys = [(row["relation"], row["column"]) for row in csv.DictReader(file)]
    assert [key for key in keys if keys.count(key) > 1] == []
    messages = [key for key in keys if key[1]]
    assert [one for one in messages if (one[1] if one[0] == "*" else ".".join(one)) not in names] == []


def test_the_store_holds_them(store: Connection) -> None:
    sql = "select comment from duckdb_columns() where table_name = 'alerts' and column_name = 'stop_ts'"
    assert store.exec_driver_sql(sql).scalars().all() == ["Beginning of the last bin; UTC."]
    sql = "select comment from duckdb_views() where view_name = 'incidents'"
    assert store.exec_driver_sql(sql).scalar_one() == comments.relations()["incidents"]


def test_the_page_is_made_from_them(store: Connection) -> None:
    assert PAGE.read_text(encoding="utf-8") == relations_page.page(store)
