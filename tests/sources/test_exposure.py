"""How many users a build has: rows of config.toml, and the files that it names."""

import gzip
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streammetrics import config
from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.doctor import diagnosis
from streammetrics.report import status
from streammetrics.sources import exposure
from streammetrics.sources.exposure import EVER, ExposureRow
from streammetrics.sources.snapshot import Snapshot
from streammetrics.store import settings_tables
from streammetrics.store.connection import Store
from tests.streams import empty_store, reporting, select


def rows(folder: Path, text: str, **files: str) -> list[ExposureRow]:
    """The rows that a config.toml of `text` makes; each file is named as its keyword, .csv."""
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return exposure.read(config.load(folder / "config.toml", {})).rows


def test_nothing_is_known_without_entries(tmp_path: Path) -> None:
    assert rows(tmp_path, "") == []


def test_rows_hold_from_their_time_on_or_ever(tmp_path: Path) -> None:
    text = """
    [[exposure]]
    build = "5.10"
    users = 100
    since = 2026-11-23T06:00:00

    [[exposure]]
    build = "5.9"
    users = 900.5
    """
    assert rows(tmp_path, text) == [(EVER, "5.9", 900.5), (datetime(2026, 11, 23, 6), "5.10", 100.0)]


@pytest.mark.parametrize(
    "since", ["2026-11-23T08:00:00+02:00", '"2026-11-23T08:00+02:00"', "2026-11-23T06:00:00.75", '"2026-11-23 06:00"']
)
def test_times_are_utc_and_whole_seconds(tmp_path: Path, since: str) -> None:
    text = f'[[exposure]]\nbuild = "5.10"\nusers = 1\nsince = {since}\n'
    assert rows(tmp_path, text) == [(datetime(2026, 11, 23, 6), "5.10", 1.0)]


def test_of_two_for_a_build_and_second_the_later_counts(tmp_path: Path) -> None:
    text = "[[exposure]]\nbuild = 'A'\nusers = 1\n\n[[exposure]]\npath = 'users.csv'\n"
    assert rows(tmp_path, text, users="since,build,users\n,A,2\n,B,3\n,A,4\n") == [(EVER, "A", 4.0), (EVER, "B", 3.0)]


def test_a_file_lies_beside_the_config_file_and_may_have_more_columns(tmp_path: Path) -> None:
    users = "\ufeffbuild,note,users,since\r\n5.10,canary,1e3,2026-11-23T06:00Z\r\n5.10,,0,2026-11-23 07:00:30.5\r\n"
    assert rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n", users=users) == [
        (datetime(2026, 11, 23, 6), "5.10", 1000.0),
        (datetime(2026, 11, 23, 7, 0, 30), "5.10", 0.0),
    ]


ALLOWED = "expected a build of 1 to 200 letters, users from 0 to 1e15, and a year from 1 to 9999 in UTC"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("noon,A,5", "Invalid isoformat string: 'noon'"),
        (",A,many", "could not convert string to float: 'many'"),
        (",A,", "could not convert string to float: ''"),
        (",A", "expected 3 fields, found 2"),
        (",,5", ALLOWED),
        (",A,-1", ALLOWED),
        (",A,nan", ALLOWED),
        (",A,inf", ALLOWED),
        (f",{'A' * 201},5", ALLOWED),
        (f",{'A' * 200_000},5", ALLOWED),
        (',"A"B,5', "a quoted field does not end where it should"),
        (",A,12.000", "12.000 may be a fraction or thousands: write digits alone"),
        (",A,5\0", "holds a NUL character"),
        ("9999-12-31T23:59-12:00,A,5", ALLOWED),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, problem: str) -> None:
    text = "[[exposure]]\npath = 'users.csv'\n"
    assert rows(tmp_path, text, users=f"since,build,users\n,A,1\n{line}\n,B,2\n") == [(EVER, "A", 1), (EVER, "B", 2)]
    assert exposure.read(config.load(tmp_path / "config.toml", {})).problems == [
        f"exposure.path: {tmp_path / 'users.csv'}: line 3 is left out: {problem}; "
        "since is a time such as 2026-11-23T06:00, in UTC where it has no offset, users a number"
    ]


@pytest.mark.parametrize("heading", ["Since,BUILD,Users", "build;USERS;since", "# by hand\n since, build, users"])
def test_headings_are_read_as_those_of_sources(tmp_path: Path, heading: str) -> None:
    names = [name.strip().lower() for name in heading.splitlines()[-1].replace(";", ",").split(",")]
    line = (";" if ";" in heading else ",").join({"since": "", "build": "A", "users": "5"}[name] for name in names)
    assert rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n", users=f"{heading}\n{line}\n") == [(EVER, "A", 5)]


def test_a_second_heading_holds_from_there_on(tmp_path: Path) -> None:
    users = "build,users,since\nA,1,\nUsers,Build,Since\n2, B ,2026-11-23T06:00 \n"
    path = "[[exposure]]\npath = 'users.csv'\n"
    assert rows(tmp_path, path, users=users) == [(EVER, "A", 1.0), (datetime(2026, 11, 23, 6), "B", 2.0)]


def aged(path: Path, seconds: int) -> None:
    at = time.time() - seconds
    os.utime(path, (at, at))


@pytest.mark.parametrize("last", [",B,12", ",B,12000,", '2026-11-23T06:00:00Z,"B\n', ",B,1\r"])
def test_a_last_line_without_its_end_waits(tmp_path: Path, last: str) -> None:
    text = "[[exposure]]\npath = 'users.csv'\n"
    assert rows(tmp_path, text, users=f"since,build,users\n,A,12000\n{last}") == [(EVER, "A", 12000)]


def test_a_last_line_that_nobody_goes_on_with_is_one(tmp_path: Path) -> None:
    text = "[[exposure]]\npath = 'users.csv'\n"
    assert rows(tmp_path, text, users="since,build,users\n,A,12000\n,B,12") == [(EVER, "A", 12000)]
    aged(tmp_path / "users.csv", 590)
    settings = config.load(tmp_path / "config.toml", {})
    assert exposure.read(settings).rows == [(EVER, "A", 12000)]
    aged(tmp_path / "users.csv", 601)
    assert exposure.read(settings).rows == [(EVER, "A", 12000), (EVER, "B", 12)]


@pytest.mark.slow
@pytest.mark.parametrize("begun", ["", "sin", "since,build,users"])
def test_while_a_file_is_written_anew_what_it_held_stays(tmp_path: Path, begun: str) -> None:
    path = tmp_path / "users.csv"
    rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n", users="since,build,users\n,A,5\n")
    settings = config.load(tmp_path / "config.toml", {})
    with empty_store() as connection:

        def users() -> list[tuple[Any, ...]]:
            with connection.begin():
                found = exposure.read(settings)
                settings_tables.replace(connection, settings, found.rows, is_whole=found.is_whole)
            return select(connection, "select build, users from exposure")

        assert users() == [("A", 5)]
        path.write_text(begun)
        assert users() == [("A", 5)]
        path.write_text("since,build,users\n,A,6\n")
        assert users() == [("A", 6)]


HELD = "; its former rows stay in use, and comparisons of builds without known users wait for it"


def unread(folder: Path) -> list[str]:
    found = exposure.read(config.load(folder / "config.toml", {}))
    assert (found.is_whole, found.problems) == (not found.unread, found.unread)
    return found.unread


def test_a_file_without_a_column_says_which_are_meant(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    assert rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n", users="users\n5\n") == []
    meant = "it must be a CSV of since, build, users"
    assert unread(tmp_path) == [f"exposure.path: {path}: has no column build and since; {meant}{HELD}"]
    path.write_text("")
    aged(path, 601)
    assert unread(tmp_path) == [f"exposure.path: {path}: has no column build and since and users; {meant}{HELD}"]
    path.write_bytes(gzip.compress(b"since,build,users\n,A,1\n"))
    assert unread(tmp_path) == [f"exposure.path: {path}: is gzip; {meant}{HELD}"]


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    assert rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n") == []
    assert unread(tmp_path) == [f"exposure.path: {path}: cannot be read: No such file or directory{HELD}"]
    os.mkfifo(path)
    assert unread(tmp_path) == [f"exposure.path: {path}: is no regular file{HELD}"]


def test_a_file_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "users.csv").symlink_to(tmp_path / "other.csv")
    assert rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n", other="since,build,users\n,A,1\n") == [(EVER, "A", 1.0)]


def test_what_was_opened_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may write to it can put a pipe in its place, which a program would read for ever."""
    path = tmp_path / "users.csv"
    writers = []

    def exchanged(place: Path) -> Snapshot:
        path.unlink()
        os.mkfifo(path)
        writers.append(os.open(path, os.O_RDWR))  # so that the test fails, and does not hang
        return Snapshot(place)

    monkeypatch.setattr(exposure, "Snapshot", exchanged)
    try:
        found = rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n", users="since,build,users\n,A,1\n")
    finally:
        os.close(*writers)
    assert found == [(EVER, "A", 1.0)]


class Site:
    """Builds A and B, which send alike; C, which sends as much as both; and a file of users that comes and goes."""

    def __init__(self, folder: Path, second: str = "") -> None:
        self.users, self.logged = folder / "users.csv", list[str]()
        (folder / "config.toml").write_text(
            '[store]\npath = "s.duckdb"\n[[source]]\nname = "a"\npath = "in*.csv"\n[[exposure]]\npath = "users.csv"\n'
            '[[comparison]]\nbaseline = "A"\ncandidate = "B"\n'
            f'[[comparison]]\nbaseline = "A"\ncandidate = "C"\n{second}'
        )
        self.config = config.load(folder / "config.toml", {})
        self.minutes = 0
        self.folder = folder

    def run(self, minutes: int = 0) -> int:
        """A run, so many minutes of records later."""
        lines = [
            f"2026-11-23 {12 + minute // 60}:{minute % 60:02d}:{second:02d},{build},7\n"
            for minute in range(self.minutes, self.minutes + minutes)
            for second in range(60)
            for build in "ABCC"
        ]
        if lines:
            (self.folder / f"in{self.minutes}.csv").write_text("".join(["ts,build,code\n", *lines]))
        self.minutes += minutes
        self.logged.clear()
        now = datetime(2026, 11, 23, 12) + timedelta(minutes=self.minutes)
        session = Session(self.config, reporting(self.logged.append), self.logged.append, lambda: now)
        return pipeline.run(session, is_final=False, exit_code=False)

    def status(self) -> str:
        store = Store(self.config.store_path)
        return status.render(status.collect(store, self.config, datetime(2026, 11, 23, 12)))

    def kept(self, sql: str) -> list[tuple[Any, ...]]:
        with Store(self.config.store_path).read() as connection:
            connection.rollback()
            return select(connection, sql)


def site_words(site: Site) -> str:
    return f"exposure.path: {site.users}: cannot be read: No such file or directory{HELD}"


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)


@pytest.mark.slow
def test_comparisons_of_builds_without_users_wait_for_a_missing_file(tmp_path: Path, no_pictures: None) -> None:
    site = Site(tmp_path, 'exposure = "equal"\n')
    assert site.run(30) == 78
    assert site.logged[0] == site_words(site)
    assert site.logged[1].startswith("OPENED    code 7 "), "what needs no users is judged"
    assert "  A -> C  " in site.logged[1]
    assert site.run() == 78, "as long as it lasts"
    assert site.logged == [site_words(site)]
    shown = site.status()
    assert "A -> B waits for the users of its builds: a file of [[exposure]] is incomplete" in shown
    assert "to do      exposure.path: " in shown
    (finding,) = diagnosis.examine(Store(site.config.store_path), site.config, datetime(2026, 11, 23, 12))
    assert (finding.check, finding.what) == ("exposure", site_words(site))
    site.users.write_text("since,build,users\n,A,100\n,B,20\n")
    assert site.run() == 0, "all that waited is judged"
    assert [line.split("  A -> ")[1][0] for line in site.logged] == ["B"]
    assert "waits for the users" not in site.status()


@pytest.mark.slow
def test_what_a_file_held_before_it_went_stays(tmp_path: Path, no_pictures: None) -> None:
    site = Site(tmp_path)
    site.users.write_text("since,build,users\n,A,100\n,B,100\n")
    assert site.run(30) == 0
    judged = "select candidate, max(judged_until) from progress group by all order by all"
    before = site.kept(judged)
    site.users.unlink()
    assert site.run(10) == 78
    assert len(site.logged) == 1
    after = site.kept(judged)
    assert site.kept("select build, users from exposure order by build") == [("A", 100.0), ("B", 100.0)]
    assert after[0][1] - before[0][1] == timedelta(minutes=10)
    assert after[1] == before[1], "the users of C are not known"


@pytest.mark.slow
def test_a_comparison_waits_while_the_line_of_its_build_is_written(tmp_path: Path, no_pictures: None) -> None:
    site = Site(tmp_path, 'exposure = "equal"\n')
    site.users.write_text("since,build,users\n,A,100\n,B,2")
    assert site.run(30) == 0
    assert [line.split("  A -> ")[1][0] for line in site.logged] == ["C"]
    assert "A -> B waits for the users of its builds" in site.status()
    site.users.write_text("since,build,users\n,A,100\n,B,200\n")
    assert site.run() == 0
    assert site.logged == []


def test_ever_can_be_stored_and_comes_back(tmp_path: Path) -> None:
    found = rows(tmp_path, "[[exposure]]\nbuild = 'A'\nusers = 1\n")
    with empty_store() as connection:
        with connection.begin():
            connection.exec_driver_sql("insert into exposure values (?, ?, ?)", found)
        assert select(connection, "select since_ts, build, users from exposure") == found
