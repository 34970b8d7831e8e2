"""Clients stay with their records, and go with them."""

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from streammetrics.config import Config, RetentionSettings, Source, StoreSettings
from streammetrics.doctor import diagnosis
from streammetrics.ingest import unload
from streammetrics.ingest.files import ingest
from streammetrics.store import backup, retention
from streammetrics.store.connection import Store

NOW = datetime(2026, 11, 23, 12)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two files with clients."""
    source = Source.model_validate({"name": "feed", "path": "*.csv", "columns": {"client": "user"}})
    config = Config(store=StoreSettings(path="s.duckdb"), source=(source,), base=tmp_path)
    for day in (1, 22):
        records = [f"2026-11-{day:02} 10:00:{second:02},5.9,7,u{day}\n" for second in range(40)]
        (tmp_path / f"{day:02}.csv").write_text("ts,build,code,user\n" + "".join(records))
    found = Store(config.store_path)
    with found.write() as connection:
        paths = sorted(tmp_path.glob("*.csv"))
        assert [one.records for one in ingest(connection, config, paths, None, lambda: NOW)] == [40, 40]
    return found


def clients(path: Path) -> dict[str, int]:
    with duckdb.connect(str(path), read_only=True) as shell:
        return dict(shell.execute("select client, count(*) from events group by client").fetchall())


def test_a_repair_of_counters_keeps_them(store: Store) -> None:
    with store.write() as connection, connection.begin():
        connection.exec_driver_sql("delete from counters")
    diagnosis.mend(store)
    assert clients(store.path) == {"u1": 40, "u22": 40}
    with store.read() as connection:
        assert connection.exec_driver_sql("select sum(errors)::int from counters").scalar_one() == 80


def test_a_backup_has_them(store: Store, tmp_path: Path) -> None:
    backup.backup(store, tmp_path / "copy.duckdb")
    assert clients(tmp_path / "copy.duckdb") == {"u1": 40, "u22": 40}


def test_unload_removes_them_with_their_batch(store: Store) -> None:
    list(unload.unload(store, (1,), None, None, NOW))
    assert clients(store.path) == {"u22": 40}


def test_retention_removes_them_with_their_records(store: Store) -> None:
    with store.write() as connection:
        while retention.prune(connection, RetentionSettings(events_days=7), NOW):
            pass
    assert clients(store.path) == {"u22": 40}
