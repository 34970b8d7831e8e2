"""Alerts and incidents in other databases: the same rows, by their keys, and nothing written twice."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, make_url

from streammetrics.cli.commands import main
from streammetrics.config import DEFAULT_RULES
from streammetrics.errors import ConfigError, InputOutputError, UsageError
from streammetrics.query import databases
from streammetrics.query.time_range import Span
from streammetrics.runtime import databases as reached
from streammetrics.store.connection import Store
from tests.histories import HOSTILE, history, regression
from tests.oracles.mean_rules import Record
from tests.postgresql import PASSWORD, Server, postgresql
from tests.release_day import ReleaseDay, scaled
from tests.streams import MONDAY

__all__ = ["postgresql"]

pytestmark = pytest.mark.slow

Target = Callable[[], URL]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> URL:
    """An empty database."""
    if request.param == "sqlite":
        return make_url(f"sqlite:///{tmp_path}/target.db")
    server: Server = request.getfixturevalue("postgresql")
    for table in databases.KEYS:
        server.run(f"drop table if exists {table}")
    monkeypatch.setenv("PASSWORD_OF_TARGET", PASSWORD)
    return databases.url_of(server.url, "PASSWORD_OF_TARGET")


def rows(url: URL, sql: str) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def export(day: ReleaseDay, url: URL, relation: str) -> tuple[int, int]:
    done = databases.export(day.session.store, relation, url, Span())
    return done.rows, done.changed


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return history(tmp_path_factory.mktemp("databases") / "s.duckdb", regression())


@pytest.mark.parametrize("relation", ["alerts", "incidents"])
def test_rows_are_those_of_the_store(store: Store, url: URL, relation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In portions as well, with hostile text, missing values and fractions of seconds."""
    monkeypatch.setattr(databases, "_ROWS", 7)
    done = databases.export(store, relation, url, Span())
    with store.read() as connection:
        stored = [tuple(row) for row in connection.exec_driver_sql(f"from {relation} order by 1")]
    assert (done.rows, done.changed) == (len(stored), len(stored))
    found = rows(url, f"select * from {relation} order by 1")
    as_text = [tuple(map(plain, row)) for row in found]
    assert as_text == [tuple(map(plain, row)) for row in stored]
    assert HOSTILE not in str(url)


def plain(value: object) -> object:
    """Times as SQLite keeps them."""
    return value.isoformat(" ", "microseconds") if hasattr(value, "isoformat") else value


def test_repeating_writes_nothing(store: Store, url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    databases.export(store, "alerts", url, Span())
    executed: list[str] = []

    def engine(url: URL) -> Any:
        made = create_engine(url)
        event.listen(made, "before_cursor_execute", lambda _c, _k, statement, *_: executed.append(statement.split()[0]))
        return made

    monkeypatch.setattr(reached, "engine", engine)
    done = databases.export(store, "alerts", url, Span())
    assert (done.rows, done.changed) == (132, 0)
    assert not {"INSERT", "DELETE", "UPDATE", "CREATE"} & set(executed)


def test_revised_alerts_and_withdrawn_incidents_follow(tmp_path: Path, url: URL) -> None:
    day = ReleaseDay.at(tmp_path, rule=DEFAULT_RULES)
    day.play(30, {"1.0": scaled(0.5), "1.1": scaled(0.5, login=3)}, at_once=True)
    assert export(day, url, "alerts")[1] > 0
    assert export(day, url, "incidents") == (1, 1)
    assert export(day, url, "alert_revisions") == (0, 0)
    # As many more of the baseline, late: nothing has increased.
    late = [Record(MONDAY + second, "1.0", "login") for second in range(0, 1800, 5) for _ in range(2)]
    day.run(late)
    day.play(1, {"1.0": scaled(0.5), "1.1": scaled(0.5)})
    revised = day.rows("select count(*) from alert_revisions")[0][0]
    assert revised > 0
    assert export(day, url, "alert_revisions") == (revised, revised)
    before = day.rows("select count(*) from alerts where revision > 0")[0][0]
    assert export(day, url, "alerts")[1] >= before > 0
    for relation, order in (("alerts", "alert_id"), ("alert_revisions", "alert_id, revision")):
        listed = f"select alert_id, revision, state, value from {relation} order by {order}"
        assert rows(url, listed) == day.rows(listed)
    assert day.rows("select count(*) from incidents") == [(0,)]
    assert export(day, url, "incidents") == (0, 0)
    assert rows(url, "select count(*) from incidents") == [(0,)]


def test_what_the_store_no_longer_has_stays(store: Store, url: URL, tmp_path: Path) -> None:
    """As after retention."""
    databases.export(store, "incidents", url, Span())
    there = rows(url, "select count(*) from incidents")
    databases.export(history(tmp_path / "other.duckdb", regression(20)), "incidents", url, Span())
    assert rows(url, "select count(*) from incidents") == there == [(2,)]


def test_a_failure_changes_nothing(store: Store, url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_ROWS", 50)
    databases.export(store, "alerts", url, Span())
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("update alerts set value = -1")
    replace, calls = databases._replace, []

    def fail_second(*arguments: Any) -> int:
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError("the cable was cut")
        return replace(*arguments)

    monkeypatch.setattr(databases, "_replace", fail_second)
    with pytest.raises(InputOutputError, match="cannot be written: the cable was cut"):
        databases.export(store, "alerts", url, Span())
    assert rows(url, "select distinct value from alerts") == [(-1,)]


def test_a_table_without_a_column_is_named(store: Store, url: URL) -> None:
    databases.export(store, "incidents", url, Span())
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table incidents drop column opened_ts")
    with pytest.raises(
        InputOutputError, match="its table incidents lacks the column opened_ts, which this version has"
    ):
        databases.export(store, "incidents", url, Span())


def test_other_relations_and_urls_are_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="counters: only alerts, incidents, alert_revisions can be exported to a data"):
        databases.export(store, "counters", make_url("sqlite://"), Span())
    with pytest.raises(UsageError, match="DuckDB file is written by"):
        databases.url_of("duckdb:///x.duckdb")
    with pytest.raises(UsageError, match="is not a URL of SQLAlchemy"):
        databases.url_of("postgresql://user:secret@host:port/db")
    with pytest.raises(UsageError, match="the password is given twice"):
        databases.url_of("postgresql://user:secret@host/db", "PASSWORD")
    with pytest.raises(ConfigError, match="--to: NO_SUCH_VARIABLE is not set in the environment"):
        databases.url_of("postgresql://user@host/db", "NO_SUCH_VARIABLE")
    with pytest.raises(
        ConfigError, match=r"mysql\+pymysql:user@host/db: needs a Python package: pip install 'pymysql'"
    ):
        databases.export(store, "alerts", make_url("mysql+pymysql://user:secret@host/db"), Span())


def test_a_file_takes_no_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["export", "alerts", "--to", f"{tmp_path}/a.csv", "--password-env", "SECRET"])
    assert ended.value.code == 2
    assert "is a file; a password is only for a database URL" in capsys.readouterr().err


def test_the_command_shows_no_password(store: Store, postgresql: Server, tmp_path: Path) -> None:
    """Right and wrong ones, from a file and the environment."""
    for table in databases.KEYS:
        postgresql.run(f"drop table if exists {table}")
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "wrong").write_text("hunter2/%40")
    (tmp_path / "config.toml").write_text(f'[store]\npath = "{store.path}"\n')
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "SECRET_OF_TARGET": PASSWORD}
    base = [sys.executable, "-m", "streammetrics", "export", "incidents", "--to", postgresql.url]
    said = []
    for option, value, code in (
        ("--password-file", "secret", 0),
        ("--password-env", "SECRET_OF_TARGET", 0),
        ("--password-file", "wrong", 74),
    ):
        command = [*base, option, value]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        said.append(done.stdout + done.stderr)
    where = f"postgresql+psycopg:reader@127.0.0.1:{postgresql.port}/postgres"
    assert said[:2] == [f"{where}: 2 rows of incidents, {new} new or changed\n" for new in (2, 0)]
    assert "password authentication failed" in said[2]
    assert not any(secret in "".join(said) for secret in (PASSWORD, "hunter2"))
    assert postgresql.run("select count(*) from incidents") == [(2,)]
