"""Relations as files: what they hold, that they are inert, and that they appear whole or not at all."""

import os
import resource
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest

from streammetrics.errors import InputOutputError, UsageError
from streammetrics.query import time_range
from streammetrics.query.export import export
from streammetrics.runtime import atomic_files
from streammetrics.store.connection import Store
from tests.histories import HOSTILE, history, regression
from tests.streams import MONDAY

pytestmark = pytest.mark.slow

MIDNIGHT = datetime(2026, 11, 23)
SINCE, UNTIL = MIDNIGHT + timedelta(minutes=13, seconds=20), MIDNIGHT + timedelta(minutes=17, seconds=5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of a regression, with a table of values that are awkward in a file."""
    found = history(tmp_path_factory.mktemp("export") / "store.duckdb", regression())
    with found.write() as connection, connection.begin():
        connection.exec_driver_sql("create view broken as select error('this is wrong') as n")
        connection.exec_driver_sql(
            'create table "awkward table" ("=a" text, n bigint, "x""y%" double, moment timestamp)'
        )
        connection.exec_driver_sql(
            """insert into "awkward table" values
                ('=1+1', -1, 0.5, timestamp '2026-11-23 00:00:00.25'), ('+1', 2, 'nan', null), ('-17', 3, 'inf', null),
                ('@sum(a)', 4, -1, null), ('-17+cmd', 5, null, null), ('plain "quoted", ünï', 6, null, null),
                ('+1.5e-3', 7, null, null), (chr(9) || '=x', 8, null, null), ('', 9, null, null),
                (null, 10, null, null), ('-' || chr(10) || '1', 11, null, null), ('''=x', 12, null, null)"""
        )
    return found


def read(path: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute("from read_parquet($1)", [str(path)]).fetchall()


def test_csv_is_plain_and_cells_are_inert(store: Store, tmp_path: Path) -> None:
    assert export(store, "awkward table", tmp_path / "a.csv") == 12
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == (
        '\'=a,n,"x""y%",moment\n'
        "'=1+1,-1,0.5,2026-11-23 00:00:00.25\n"
        "+1,2,nan,\n"
        "-17,3,inf,\n"
        "'@sum(a),4,-1.0,\n"
        "'-17+cmd,5,,\n"
        '"plain ""quoted"", ünï",6,,\n'
        "+1.5e-3,7,,\n"
        "'\t=x,8,,\n"
        '"",9,,\n'
        ",10,,\n"
        '"\'-\n1",11,,\n'
        "'=x,12,,\n"
    )


def test_parquet_has_types_and_exact_text(store: Store, tmp_path: Path) -> None:
    assert export(store, "awkward table", tmp_path / "a.PARQUET") == 12
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet($1)", [str(tmp_path / "a.PARQUET")])
        assert [(name, str(kind)) for name, kind, *_ in found.description or []] == [
            ("=a", "VARCHAR"), ("n", "BIGINT"), ('x"y%', "DOUBLE"), ("moment", "TIMESTAMP"),
        ]  # fmt: skip
        assert found.fetchone() == ("=1+1", -1, 0.5, datetime(2026, 11, 23, 0, 0, 0, 250000))


def test_json_lines_are_json(store: Store, tmp_path: Path) -> None:
    export(store, "awkward table", tmp_path / "a.jsonl")
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines[:3] == [
        '{"=a":"=1+1","n":-1,"x\\"y%":0.5,"moment":"2026-11-23 00:00:00.25"}',
        '{"=a":"+1","n":2,"x\\"y%":null,"moment":null}',
        '{"=a":"-17","n":3,"x\\"y%":null,"moment":null}',
    ]
    assert len(lines) == 12


def test_alerts_and_events_are_exported_as_they_are(store: Store, tmp_path: Path) -> None:
    for relation in ("alerts", "events", "incidents"):
        path = tmp_path / f"{relation}.parquet"
        rows = export(store, relation, path)
        with store.read() as connection:
            stored = [tuple(row) for row in connection.exec_driver_sql(f"from {relation} order by all")]
        assert sorted(read(path), key=repr) == sorted(stored, key=repr)
        assert rows == len(stored) > 0


@pytest.mark.parametrize("relation", ["presence", "pair_steps", "tallies", "judged_bins", "bins", "windows", "fired"])
@pytest.mark.parametrize("bounds", [(None, None), (SINCE, UNTIL)])
def test_portions_make_the_same_rows_in_order_of_time(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    relation: str,
    bounds: tuple[datetime | None, datetime | None],
) -> None:
    whole = export(store, relation, tmp_path / "whole.parquet", *bounds)
    monkeypatch.setattr(time_range, "PORTION_SECONDS", 170)
    export(store, relation, tmp_path / "portions.parquet", *bounds)
    with duckdb.connect() as connection:
        connection.execute("create table whole as from read_parquet($1)", [str(tmp_path / "whole.parquet")])
        connection.execute("create table portions as from read_parquet($1)", [str(tmp_path / "portions.parquet")])
        without = f"where code <> '{HOSTILE.replace(chr(39), chr(39) * 2)}'" if relation in ("bins", "windows") else ""
        missing = f"select count(*) from (from whole {without} except all from portions)"
        assert connection.execute(missing).fetchone() == (0,)
        assert connection.execute("select count(*) from (from portions except all from whole)").fetchone() == (0,)
        (moment,) = {"second", "bin_second", "stop_second"} & {
            row[0] for row in connection.execute("describe portions").fetchall()
        }
        moments = [row[0] for row in connection.execute(f"select {moment} from portions").fetchall()]
    assert moments == sorted(moments)
    assert whole >= len(moments) > 0


@pytest.mark.parametrize("relation", ["bins", "judged_bins"])
def test_a_silence_within_reach_of_windows_has_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relation: str
) -> None:
    silent = [record for record in regression() if not 300 <= record.second - MONDAY < 900 and record.code == "7"]
    store = history(tmp_path / "store.duckdb", silent)
    whole = export(store, relation, tmp_path / "whole.csv")
    monkeypatch.setattr(time_range, "PORTION_SECONDS", 170)
    assert export(store, relation, tmp_path / "portions.csv") == whole == 144
    assert sorted((tmp_path / "portions.csv").read_text()) == sorted((tmp_path / "whole.csv").read_text())


def test_a_span_cuts_an_export_as_it_does_a_query(store: Store, tmp_path: Path) -> None:
    assert export(store, "events", tmp_path / "events.csv", SINCE, UNTIL) == 3 * 225
    assert export(store, "builds", tmp_path / "builds.csv", SINCE, UNTIL) == 2


def test_unknown_relation_lists_those_that_there_are(store: Store, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"alarms: there is no such table or view; there are: advice, alert_revisions, .*, windows"
    ):
        export(store, "alarms", tmp_path / "a.csv")
    for hostile in ("alerts; drop table alerts", 'alerts" where true --', "sqlite_master", "duckdb_tables()", ""):
        with pytest.raises(UsageError, match="there is no such table or view"):
            export(store, hostile, tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.gz", ".csv", "a.json"])
def test_other_suffixes_are_refused(store: Store, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"its suffix does not name a format; \.csv, \.parquet, \.jsonl do"):
        export(store, "alerts", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_hostile_file_names_are_names(store: Store, tmp_path: Path) -> None:
    names = ["a'b.csv", "$(touch x).csv", "{a,b}*.csv", "-.csv", "\u202e.csv", "=.csv"]
    for name in names:
        assert export(store, "builds", tmp_path / name) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_a_file_that_was_there_is_replaced(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "builds.csv"
    target.write_text("old")
    reader = target.open()
    export(store, "builds", target)
    assert target.read_text().startswith("build,version_rank,")
    assert list(tmp_path.iterdir()) == [target]
    with reader:
        assert reader.read() == "old", "who had the old file open reads on in it"


def test_a_path_relative_to_the_working_directory(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(store, "builds", Path("builds.csv")) == 2
    assert (tmp_path / "builds.csv").exists()


def full_disk(descriptor: int) -> NoReturn:
    raise OSError(28, "No space left on device")


def test_failure_leaves_the_old_file_and_no_other(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "alerts.csv"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(InputOutputError, match=r"alerts\.csv: cannot be written: .*No space left on device"):
        export(store, "alerts", target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_disk_that_is_full_while_it_is_written(store: Store, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(InputOutputError, match=r"events\.csv: cannot be written: .*File too large"):
            export(store, "events", tmp_path / "events.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_failure_of_the_query_leaves_no_file(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="this is wrong"):
        export(store, "broken", tmp_path / "broken.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_pipe_or_device_is_not_replaced(store: Store, tmp_path: Path, is_linked: bool) -> None:
    """The same holds for backups, figures and the report: who may write to /dev would lose /dev/null."""
    pipe, target = tmp_path / "pipe", tmp_path / "alerts.csv"
    os.mkfifo(pipe if is_linked else target)
    if is_linked:
        target.symlink_to(pipe)
    before = sorted((path.name, path.lstat().st_mode) for path in tmp_path.iterdir())
    with pytest.raises(
        InputOutputError, match=r"alerts\.csv: cannot be written: is a pipe, socket or device, and only"
    ):
        export(store, "alerts", target)
    assert sorted((path.name, path.lstat().st_mode) for path in tmp_path.iterdir()) == before


def test_a_link_to_what_a_process_has_open_is_not_replaced(tmp_path: Path) -> None:
    """As /dev/stdout is one, also where stdout is a file."""
    target = tmp_path / "stdout"
    target.symlink_to("/proc/self/fd/1")
    with pytest.raises(OSError, match="is a pipe, socket or device"), atomic_files.replacing(target):
        pass
    assert target.is_symlink()


@pytest.mark.parametrize("name", ["none/a.csv", "file/a.csv", "folder.csv", "x" * 250 + ".csv"])
def test_a_place_that_cannot_be_written_is_reported(store: Store, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputOutputError, match=r"\.csv: cannot be written: "):
        export(store, "alerts", tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder.csv"]
