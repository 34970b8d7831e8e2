"""Whether the store that a job has open still lies at its path."""

import shutil
from pathlib import Path

import pytest

from streammetrics.errors import ReplacedStoreError
from streammetrics.store import same_file
from streammetrics.store.connection import Store

INSERT = "insert into codes (build, code) values ('1.9', '7')"
MESSAGE = "was removed or replaced while this command had it open; .* run it again"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "a.duckdb")
    with store.write():
        pass
    shutil.copy(store.path, tmp_path / "backup.duckdb")
    return store


def replace(store: Store) -> bytes:
    copy = store.path.parent / "copy.duckdb"
    shutil.copy(store.path.parent / "backup.duckdb", copy)
    copy.replace(store.path)
    return store.path.read_bytes()


def test_a_commit_to_a_file_that_was_replaced_is_refused(store: Store) -> None:
    with store.write() as connection:
        with connection.begin():
            connection.exec_driver_sql(INSERT)
        same_file.require(connection)
        lying = replace(store)
        with pytest.raises(ReplacedStoreError, match=MESSAGE) as caught, connection.begin():
            connection.exec_driver_sql(INSERT)
        assert caught.value.exit_code == 74
        with pytest.raises(ReplacedStoreError, match=MESSAGE):
            same_file.require(connection)
    assert store.path.read_bytes() == lying
    assert not Path(f"{store.path}.wal").exists()


def test_so_is_one_to_a_file_that_was_removed(store: Store) -> None:
    with store.write() as connection:
        store.path.unlink()
        with pytest.raises(ReplacedStoreError, match=MESSAGE), connection.begin():
            connection.exec_driver_sql(INSERT)
    assert not store.path.exists()


def test_the_log_of_another_file_stays(store: Store) -> None:
    log = Path(f"{store.path}.wal")
    with store.write() as connection:
        with connection.begin():
            connection.exec_driver_sql(INSERT)
        assert log.exists()
        replace(store)
        log.rename(log.with_name("old.wal"))
        log.write_text("of another process")
    assert log.read_text() == "of another process"


def test_a_store_behind_a_link_is_the_file_that_it_points_to(store: Store) -> None:
    link = store.path.with_name("link.duckdb")
    link.symlink_to(store.path)
    with Store(link).write() as connection, connection.begin():
        connection.exec_driver_sql(INSERT)
    with Store(link).write() as connection:
        replace(store)
        with pytest.raises(ReplacedStoreError), connection.begin():
            connection.exec_driver_sql(INSERT)
