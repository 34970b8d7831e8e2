"""A store of an earlier version that has rows in every table is brought up to date."""

from pathlib import Path

import pytest

from streammetrics.store import schema
from streammetrics.store.connection import Store

_NOTICE = """
insert into notices values
(1, 'stdout', 'opened', '7', 'OPENED code 7', '{"incident_id": 5}', timestamp '2026-11-23', null),
(2, 'stdout', 'new_codes', null, 'NEW', '{"codes": 1}', timestamp '2026-11-23', timestamp '2026-11-23')
"""


def test_a_store_with_rows_is_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, versions = Store(tmp_path / "s.duckdb"), schema.migrations()
    with monkeypatch.context() as patch:
        patch.setattr(schema, "migrations", lambda: versions[:9])
        with store.write() as connection, connection.begin():
            connection.exec_driver_sql(_NOTICE)
            connection.exec_driver_sql(
                "insert into settings (lateness_seconds, merge_seconds, is_final) values (0, 300, false)"
            )
    with store.write() as connection, connection.begin():
        found = connection.exec_driver_sql("select notice_id, incident_id, is_held_back from notices order by 1").all()
        assert [tuple(row) for row in found] == [(1, 5, False), (2, None, False)]
        assert connection.exec_driver_sql("select reopen_seconds from settings").scalar_one() == 300
        assert connection.exec_driver_sql("select schema_version from store_info").scalar_one() == len(versions)
