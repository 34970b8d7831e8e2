from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from tests.ingest.databases.feeding import empty
from tests.postgresql import postgresql
from tests.streams import empty_store

__all__ = ["postgresql"]


@pytest.fixture(scope="session")
def one_store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


@pytest.fixture
def store(one_store: Connection) -> Connection:
    """An empty store in memory."""
    empty(one_store)
    return one_store
