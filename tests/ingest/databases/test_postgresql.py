"""A real PostgreSQL, read while others write to it, by processes that are killed."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from streammetrics.errors import InputOutputError
from streammetrics.store.connection import Store
from tests.ingest.databases.feeding import Reader
from tests.postgresql import PASSWORD, Server

pytestmark = pytest.mark.slow

TABLE = """
drop table if exists errors;
create table errors (id bigint generated always as identity primary key, ts timestamptz, build text, code text)
"""

ODD = '"Error ""Log"""'
"""The table `Error "Log"`, as SQL writes it."""

INTO = "insert into errors (ts, build, code)"
ADD = f"{INTO} select timestamptz '2026-11-23 10:00:00+00' + n * interval '1 ms', '5.9', n % 7 from generate_series"


@pytest.fixture
def server(postgresql: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("PGPASSWORD_ERRORS", PASSWORD)
    postgresql.run(TABLE)
    return postgresql


@pytest.fixture
def reader(store: Connection, server: Server, tmp_path: Path) -> Reader:
    return Reader(store, tmp_path, {"url": server.url, "password_env": "PGPASSWORD_ERRORS", "table": "errors"})


class Meanwhile(list[Any]):
    """What is done before each portion, in the place of telling progress."""

    def __init__(self, *steps: Callable[[], Any]) -> None:
        super().__init__()
        self.steps = list(steps)

    def append(self, done: Any) -> None:
        super().append(done)
        if self.steps:
            self.steps.pop(0)()


def each_once(reader: Reader) -> int:
    """How many rows of `ADD` were counted; no row is its like."""
    (found,) = reader.rows("select count(*), count(distinct ts) from events")
    assert found == (reader.counted().total(),) * 2
    return int(found[0])


def test_rows_that_are_inserted_while_others_are_read(reader: Reader, server: Server) -> None:
    server.run(f"{ADD}(1, 5000) n")
    seen: list[Any] = []
    streamed = "select count(*) from pg_stat_activity where query like 'FETCH FORWARD 500 %'"
    steps = (lambda: server.run(f"{ADD}(5001, 5100) n"), lambda: seen.extend(server.run(streamed)))
    reader.progress = Meanwhile(*steps, lambda: server.run(f"{ADD}(5101, 5200) n"))
    assert reader.ingest(portion_rows=500).records == 5000
    assert seen == [(1,)]
    assert [reader.ingest(portion_rows=500).records for _ in range(2)] == [200, 0]
    assert each_once(reader) == 5200


def test_a_transaction_that_is_committed_late(reader: Reader, server: Server) -> None:
    """Its ids are lower than what was read in the meantime."""
    with server.connect(autocommit=False) as slow:
        slow.execute(f"{ADD}(1, 100) n")
        server.run(f"{ADD}(101, 200) n")
        assert reader.ingest(portion_rows=30).records == 100
        assert reader.rows("select arg_max(mark, batch_id) from cursor_marks") == [("200",)]
        slow.commit()
    assert [reader.ingest(portion_rows=30).records for _ in range(2)] == [100, 0]
    assert each_once(reader) == 200


def test_times_as_cursor_with_equal_values(reader: Reader, server: Server) -> None:
    """All rows of a transaction have one now(): equal values across portions, across runs, and late."""
    reader.settings |= {"cursor": "ts", "overlap": 60}
    insert = f"{INTO} select timestamptz '2026-11-23 {{}}', '5.9', '{{}}' from generate_series(1, {{}})"
    server.run(insert.format("10:00:00.5+00", "a", 700))
    server.run(insert.format("12:00:30+02", "b", 700))
    assert reader.ingest(portion_rows=300).records == 1400
    server.run(insert.format("10:00:30+00", "b", 5))
    server.run(insert.format("09:59:59+00", "late", 5))
    server.run(insert.format("09:59:29+00", "too late", 5))
    assert [reader.ingest(portion_rows=300).records for _ in range(2)] == [10, 0]
    assert reader.counted() == Counter(a=700, b=705, late=5)
    assert reader.rows("select arg_max(floor, batch_id) from cursor_marks") == [("2026-11-23 09:59:30+00:00",)]


def test_a_clock_that_is_ahead_does_not_decide(reader: Reader, server: Server) -> None:
    reader.settings |= {"cursor": "ts"}
    server.run(f"{INTO} values ('2036-01-01', '5.9', 'ahead'), ('2026-11-23 11:59', '5.9', 'a')")
    assert (reader.ingest().records, reader.ingest().state) == (1, "skipped")
    server.run(f"{INTO} values ('2026-11-23 11:58', '5.9', 'b')")
    assert [reader.ingest().records for _ in range(2)] == [1, 0]
    assert reader.counted() == Counter("ab")


def test_types(reader: Reader, server: Server) -> None:
    server.run(f"""
        drop table if exists {ODD};
        create table {ODD} ("ID" numeric, "When" timestamptz, build uuid, code numeric);
        insert into {ODD} values
            (1, '2026-11-23 12:00:00.123456+02', '00000000-0000-0000-0000-000000000009', 404),
            (2, '2026-11-23 10:00:01+00', '00000000-0000-0000-0000-000000000009', 1e30),
            (3, 'infinity', '00000000-0000-0000-0000-000000000009', 404),
            (4, '294248-01-01', '00000000-0000-0000-0000-000000000009', 404),
            (5, '0044-03-15 BC', '00000000-0000-0000-0000-000000000009', 404),
            (6, '2026-11-23 10:00:02+00', null, 404)
    """)
    columns = {"ts": "When", "build": "build", "code": "code"}
    outcome = reader.ingest(table='Error "Log"', cursor="ID", columns=columns)
    assert (outcome.records, outcome.rejected) == (2, 4)
    moments = [datetime(2026, 11, 23, 10, 0, 0, 123456), datetime(2026, 11, 23, 10, 0, 1)]
    assert [ts for (ts,) in reader.rows("select ts from events order by ts")] == moments
    assert reader.counted() == Counter({"404": 1, "1" + "0" * 30: 1})
    assert [(reason, content[:25]) for _, reason, content in reader.rejects()] == [
        ("time cannot be read", "3,infinity,00000000-0000-"),
        ("time cannot be read", "4,294248-01-01 00:00:00+0"),
        ("time cannot be read", "5,0044-03-15 00:00:00+00 "),
        ("has no build", "6,2026-11-23 10:00:02+00:"),
    ]
    assert reader.ingest(table='Error "Log"', cursor="ID", columns=columns).state == "skipped"


@pytest.mark.parametrize(
    ("kind", "value"), [("boolean", "true"), ("bytea", "'\\x37'"), ("jsonb", "'[7]'"), ("integer[]", "'{7}'")]
)
def test_a_code_is_neither_text_nor_a_number(reader: Reader, server: Server, kind: str, value: str) -> None:
    server.run(f"{ADD}(1, 1) n")
    server.run(f"alter table errors add column odd {kind} default {value}")
    columns = {"ts": "ts", "build": "build", "code": "odd"}
    outcome = reader.ingest(columns=columns)
    assert "code is neither text nor a number" in outcome.message
    assert outcome.error is not None


def test_a_query_of_another_schema(reader: Reader, server: Server) -> None:
    server.run(
        'create schema if not exists "Other"; drop table if exists "Other"."T";'
        """create table "Other"."T" as select n, '1795428000' as t from generate_series(1, 3) n"""
    )
    del reader.settings["table"]
    query = """
        select n::bigint as id, t as ts, '5.9' as build, n % 2 as code from "Other"."T" where t like '17%' -- all
    """
    assert [reader.ingest(query=query).records for _ in range(2)] == [3, 0]


def test_infinity_in_the_cursor_ends_the_reading_there(reader: Reader, server: Server) -> None:
    server.run(f"{ADD}(1, 2) n")
    server.run(f"{INTO} values ('infinity', '5.9', 'never')")
    outcome = reader.ingest(cursor="ts")
    assert (outcome.records, isinstance(outcome.error, InputOutputError)) == (2, True)
    assert "'infinity' in 'ts', the cursor" in outcome.message


def test_a_connection_that_breaks(reader: Reader, server: Server) -> None:
    server.run(f"{ADD}(1, 3000) n")
    end = "select pg_terminate_backend(pid) from pg_stat_activity where query like 'FETCH FORWARD%'"
    reader.progress = Meanwhile(lambda: None, lambda: None, lambda: server.run(end))
    outcome = reader.ingest(portion_rows=500)
    assert isinstance(outcome.error, InputOutputError)
    assert 500 <= outcome.records < 3000
    assert "terminating connection" in outcome.message
    assert f"{outcome.records:,} accepted, 0 rejected" in outcome.message
    reader.ingest(portion_rows=500)
    assert each_once(reader) == 3000


def test_a_password_that_is_wrong_and_a_server_that_is_not_there(
    reader: Reader, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run(f"{ADD}(1, 1) n")
    monkeypatch.setenv("WRONG", "guessed")
    others = {"cursor": "id", "table": "errors", "password_env": "WRONG"}
    guess = {"name": "a", "url": server.url, **others}
    nobody = {"name": "b", "url": "postgresql+psycopg://reader@127.0.0.1:1/postgres", **others}
    wrong, down, done = reader.outcomes(guess, nobody)
    assert isinstance(wrong.error, InputOutputError)
    assert 'password authentication failed for user "reader"' in wrong.message
    assert isinstance(down.error, InputOutputError)
    assert "refused" in down.message
    assert "guessed" not in wrong.message + down.message
    assert done.records == 1


def test_kills_between_portions(server: Server, tmp_path: Path) -> None:
    """After each kill the mark, the ledger and the records agree; in the end each row is there once."""
    rows, folder = 6_000, tmp_path
    server.run(f"{ADD}(1, {rows}) n")
    (folder / "config.toml").write_text(
        f'[store]\npath = "s.duckdb"\n[[source]]\nname = "clients"\nurl = "{server.url}"\ntable = "errors"\n'
        'cursor = "id"\npassword_env = "PGPASSWORD_ERRORS"\nportion_rows = 200\n'
    )
    command = [sys.executable, "-m", "streammetrics", "ingest", "--config", str(folder / "config.toml")]
    environment = {**os.environ, "PGPASSWORD_ERRORS": PASSWORD, "PYTHONPATH": str(Path(__file__).parents[3])}
    wal, store, killed = folder / "s.duckdb.wal", Store(folder / "s.duckdb"), 0
    for grown in (1, 20_000, 50_000):
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        # What is committed is appended there; the tables of a new store come first.
        while process.poll() is None and (wal.stat().st_size if wal.exists() else 0) < grown:
            time.sleep(0.001)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        with store.write() as connection, connection.begin():
            totals = "select coalesce(max(range_end), 0), coalesce(sum(records), 0)::bigint from batches"
            taken, counted = connection.exec_driver_sql(totals).one()
            events = connection.exec_driver_sql("select count(*), count(distinct ts) from events").one()
            mark = connection.exec_driver_sql("select max(mark::bigint) from cursor_marks").scalar_one()
        assert (taken, counted, tuple(events)) == (taken, taken, (taken, taken))
        assert (mark or 0) == taken
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with store.read() as connection:
        events = connection.exec_driver_sql("select count(*), count(distinct ts) from events").one()
    assert tuple(events) == (rows, rows)
    assert killed >= 2
