"""The store: schema versions, who may open it when, and what SQL that people type may do."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.config import Config
from streammetrics.detect import passes
from streammetrics.errors import InputOutputError, StoreBusyError
from streammetrics.store import schema, views
from streammetrics.store.connection import Store, explained
from tests.histories import regression
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, clock, load

ALERT_OF_VERSION_1 = """insert into alerts
select
    7::bigint as alert_id, 'ratio' as rule, 'mean_ratio' as detector, '1.9' as baseline, '1.10' as candidate,
    '7' as code, timestamp '2026-11-23 00:00:10' as start_ts, timestamp '2026-11-23 00:00:50' as stop_ts,
    10::bigint as bin_seconds, 5::bigint as window_bins, 1.5::double as value, 1.25::double as threshold,
    2::bigint as baseline_errors, 3::bigint as candidate_errors, 1.5::double as ratio, null::double as ratio_low,
    null::double as ratio_high, 'current' as state, 0::bigint as revision, 1::bigint as run_id,
    timestamp '2026-11-23 01:00:00' as created_at, timestamp '2026-11-23 01:00:00' as updated_at,
    timestamp '2026-11-23 00:01:00' as end_ts, 7::bigint as incident_id
"""

HOLD = """
import sys, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def up_to(version: int) -> Callable[[], tuple[tuple[str, ...], ...]]:
    """In place of `schema.migrations`: those of a program of this schema version."""
    known = schema.migrations()[:version]
    return lambda: known


def test_no_connection_caches_files(tmp_path: Path) -> None:
    setting = "select current_setting('enable_external_file_cache')"
    store = Store(tmp_path / "a.duckdb")
    for open_ in (store.write, store.read):
        with open_() as connection:
            assert connection.exec_driver_sql(setting).scalar() is False


def test_a_new_store_has_the_schema_of_this_version(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "a.duckdb")
    with store.write() as connection:
        assert connection.exec_driver_sql("select schema_version from store_info").scalar_one() == len(
            schema.migrations()
        )


def test_an_older_store_is_brought_forward_and_keeps_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "a.duckdb")
    with store.write() as connection, connection.begin():
        connection.exec_driver_sql("insert into codes (build, code) values ('1.9', '7')")
    this = len(schema.migrations())
    later = (*schema.migrations(), ("alter table codes add column note text default 'none'",))
    monkeypatch.setattr(schema, "migrations", lambda: later)
    message = f"is of schema version {this}, this program's is {this + 1}; `streammetrics ingest`"
    with pytest.raises(InputOutputError, match=message):
        store.read().__enter__()
    with store.write() as connection:
        assert connection.exec_driver_sql("select build, code, note from codes").all() == [("1.9", "7", "none")]
    with store.read() as connection:
        assert connection.exec_driver_sql("select schema_version from store_info").scalar_one() == this + 1


@pytest.mark.slow
def test_a_store_of_version_1_is_brought_forward_and_judged_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its alerts and incidents stay what they are, and a pass of this version's default rule adds its own."""
    store, source = Store(tmp_path / "a.duckdb"), counted(tmp_path / "source.duckdb", regression())
    with monkeypatch.context() as patch:
        patch.setattr(schema, "migrations", up_to(1))
        with store.write() as connection, connection.begin():
            connection.exec_driver_sql(ALERT_OF_VERSION_1)
            connection.exec_driver_sql("insert into comparisons values ('previous', 'latest', '%')")
            connection.exec_driver_sql("insert into settings values (0, 300, false)")
            copy_to_version_4(connection, source)
    with pytest.raises(InputOutputError, match="is of schema version 1, this program's is"):
        store.read().__enter__()
    with store.write() as connection:
        kept = "select * exclude (exposure, candidate_share, dispersion) from alerts"
        with duckdb.connect() as shell:
            shell.execute(re.sub("^insert into alerts", "create table alerts as", ALERT_OF_VERSION_1))
            expected = shell.execute("select * from alerts").fetchall()
        assert [tuple(row) for row in connection.exec_driver_sql(kept)] == expected
        (reported,) = connection.exec_driver_sql("select exposure, candidate_share, dispersion from alerts")
        assert tuple(reported) == (None, None, None)
        assert connection.exec_driver_sql("select * from comparisons").all() == [
            ("previous", "latest", "%", None, None, 0, 1)
        ]
        connection.rollback()
        passes.judge(connection, Config(), clock)
        incidents = connection.exec_driver_sql("select incident_id, rule, code, alerts from incidents order by rule")
        assert tuple(next(iter(incidents))) == (7, "ratio", "7", 1)


def test_a_store_of_version_4_gets_the_figures_of_its_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that ingest would have counted; of a pair of which retention keeps no counter only that it was sent."""
    first = [Record(MONDAY, "1.9", "7"), Record(MONDAY, "1.9", "7"), Record(MONDAY, "1.10", "8")]
    second = [Record(MONDAY + 90, "1.9", "7"), Record(MONDAY, "1.9", "7"), Record(MONDAY, "1.10", "8")]
    store, source = Store(tmp_path / "a.duckdb"), counted(tmp_path / "source.duckdb", first, second)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "migrations", up_to(4))
        with store.write() as connection, connection.begin():
            copy_to_version_4(connection, source)
            connection.exec_driver_sql("insert into codes values ('1.8', '6')")
    figures = "select * replace (first_second::text as first_second, last_second::text as last_second) from codes"
    with store.write():
        pass
    with store.read() as connection:
        assert sorted(map(tuple, connection.exec_driver_sql(figures))) == [
            ("1.10", "8", "2026-11-23 00:00:00", "2026-11-23 00:00:00", 2, 1, None),
            ("1.8", "6", None, None, 0, 0, None),
            ("1.9", "7", "2026-11-23 00:00:00", "2026-11-23 00:01:30", 4, 2, 2),
        ]


@pytest.mark.slow
def test_a_store_of_version_6_gets_hours_families_and_builds_that_span_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [Record(MONDAY + second, build, "7") for second in range(3590, 3640) for build in ("x-1", "x-2")]
    burst = [Record(MONDAY + second, "stray", "7") for second in range(25)]
    store, source = Store(tmp_path / "a.duckdb"), counted(tmp_path / "source.duckdb", [*records, *burst])
    with monkeypatch.context() as patch:
        patch.setattr(schema, "migrations", up_to(6))
        with store.write() as connection, connection.begin():
            copy_to_version_4(connection, source)
            connection.exec_driver_sql("update builds set since_second = first_second + interval 19 seconds")
    with store.write() as connection:
        passes.judge(connection, Config(), clock)
    with store.read() as connection, Store(source).read() as other:
        for table in ("builds", "build_hours"):
            expected = [tuple(row) for row in other.exec_driver_sql(f"from {table} order by all")]
            assert [tuple(row) for row in connection.exec_driver_sql(f"from {table} order by all")] == expected


def counted(path: Path, *batches: list[Record]) -> Path:
    """A store of this version that holds these batches."""
    with Store(path).write() as connection:
        for batch in batches:
            load(connection, batch)
    return path


def copy_to_version_4(connection: Connection, source: Path) -> None:
    """What a store of version 1 to 4 would hold of the same batches."""
    connection.exec_driver_sql(f"attach '{source}' as source (read_only)")
    for table in ("batches", "counters"):
        connection.exec_driver_sql(f"insert into {table} from source.{table}")
    connection.exec_driver_sql("insert into events select * exclude (client) from source.events")
    connection.exec_driver_sql(
        "insert into builds select build, version_rank, first_second, since_second, last_second from source.builds"
    )
    connection.exec_driver_sql("insert into codes (build, code) select build, code from source.codes")


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "a.duckdb")
    with store.write():
        pass
    broken = (*schema.migrations(), ("drop table rejects", "this is no SQL"))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "migrations", lambda: broken)
        with pytest.raises(DBAPIError), store.write():
            pass
    with store.read() as connection:
        assert connection.exec_driver_sql("select count(*) from rejects").scalar_one() == 0


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.duckdb")
    with store.write() as connection, connection.begin():
        connection.exec_driver_sql("update store_info set schema_version = 99")
    with pytest.raises(InputOutputError, match="is of schema version 99, later than this program's"), store.write():
        pass
    with pytest.raises(InputOutputError, match="use the program that wrote it"), store.read():
        pass


def test_memory_that_does_not_suffice_says_what_to_do(tmp_path: Path) -> None:
    settings = ("set memory_limit = '30MB'", "set temp_directory = ''")
    query = "select count(*) from (select distinct range || 'a code of some length' from range(5000000))"
    with Store(tmp_path / "s.duckdb").write() as connection:
        for setting in settings:
            connection.exec_driver_sql(setting)
        with pytest.raises(DBAPIError) as caught:
            connection.exec_driver_sql(query)
    failure = explained(caught.value)
    assert isinstance(failure, InputOutputError)
    assert str(failure).startswith("the database needs more memory: Out of Memory Error: ")
    assert str(failure).endswith(
        "; raise [store] memory_limit; where codes hold ids, [[source]] code_pattern makes them fewer"
    )


def test_a_file_of_another_kind_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    path.write_text("a letter to my aunt, long enough to be taken for a header of some sort")
    with pytest.raises(InputOutputError, match="cannot be opened as a store"), Store(path).write():
        pass
    assert path.read_text().startswith("a letter")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    store = Store(tmp_path / "a.duckdb")
    make(store.path)
    for opened in (store.write, store.read):
        with pytest.raises(InputOutputError, match=r"a\.duckdb: is no regular file; set path in \[store\]"), opened():
            pass


def test_another_process_is_waited_for_then_named(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Store(path).write():
        pass
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        store = Store(path, lock_wait_seconds=0.2)
        started = time.monotonic()
        with pytest.raises(StoreBusyError, match=rf"process {holder.pid} has held the store for 0.2 s"), store.write():
            pass
        with pytest.raises(StoreBusyError, match=rf"process {holder.pid} "), store.read():
            pass
        assert time.monotonic() - started >= 0.4
        holder.stdin.close()
        holder.wait()
    with Store(path, lock_wait_seconds=0.2).write():
        pass


def test_a_second_writer_of_ours_waits_for_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Store(path).write(), pytest.raises(StoreBusyError), Store(path, lock_wait_seconds=0.1).write():
        pass
    with Store(path, lock_wait_seconds=0.1).write():
        pass


def test_the_file_is_free_once_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Store(path).write():
        pass
    code = "import sys, duckdb; duckdb.connect(sys.argv[1]).close()"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to '{folder}/out.csv'",
        "select * from read_csv('{folder}/in.csv')",
        "select * from '{folder}/in.csv'",
        "attach '{folder}/other.duckdb'",
        "create table t (a int)",
        "delete from codes",
        "set enable_external_access = true",
        "set memory_limit = '10GB'",
        "install httpfs",
        "load httpfs",
        "export database '{folder}/all'",
    ],
)
def test_what_people_type_reads_the_store_and_nothing_else(tmp_path: Path, statement: str) -> None:
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    store = Store(tmp_path / "a.duckdb")
    with store.write():
        pass
    with store.read(locked_down=True) as connection:
        assert connection.exec_driver_sql("select count(*) from codes").scalar_one() == 0
        with pytest.raises(DBAPIError):
            connection.exec_driver_sql(statement.format(folder=tmp_path)).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.duckdb", "a.duckdb.lock", "a.duckdb.queue", "in.csv"]


@pytest.mark.slow
def test_any_duckdb_reads_every_view(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with Store(path).write() as connection, connection.begin():
        views.publish(connection)
    with duckdb.connect(str(path), read_only=True) as shell:
        for name in views.relations():
            assert shell.execute(f'select count(*) from "{name}"').fetchone() is not None


def test_the_dialect_does_not_read_ddl_letter_by_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from duckdb_sqlalchemy._statements import _top_level_sql_words as words_of

    found: list[str] = []
    with Store(tmp_path / "s.duckdb").write() as connection:
        monkeypatch.setattr("duckdb_sqlalchemy._top_level_sql_words", lambda text: found.extend(words_of(text)))
        connection.exec_driver_sql("\ncreate or replace temp table ones as select 1 as one")
        connection.exec_driver_sql("create or replace view only_ones as select 1 as one")
        assert connection.exec_driver_sql("select one from ones natural join only_ones").all() == [(1,)]
    assert not found


def test_a_damaged_store_is_not_called_busy(tmp_path: Path) -> None:
    path = tmp_path / "blocklist.duckdb"
    with Store(path).write():
        pass
    content = bytearray(path.read_bytes())
    content[20] ^= 0xFF
    path.write_bytes(content)
    for opened in (Store(path, lock_wait_seconds=5).write, Store(path, lock_wait_seconds=5).read):
        with pytest.raises(InputOutputError, match="cannot be opened as a store"), opened():
            pass


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute("create table mine (a int)")
    with pytest.raises(InputOutputError, match="is a database of another program"), Store(path).write():
        pass
    with duckdb.connect(str(path)) as other:
        assert other.execute("select table_name from duckdb_tables()").fetchall() == [("mine",)]
