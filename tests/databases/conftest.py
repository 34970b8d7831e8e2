from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from tests.streams import clear, empty_store


@pytest.fixture(scope="session")
def one_store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


@pytest.fixture
def store(one_store: Connection) -> Connection:
    """An empty store in memory."""
    clear(one_store)
    with one_store.begin():
        for table in ("rejects", "cursor_marks", "cursor_rows"):
            one_store.exec_driver_sql(f"delete from {table}")
    return one_store
