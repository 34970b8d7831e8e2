"""How many users a build has: rows of config.toml, and the files that it names."""

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from streammetrics import config, exposure, relations
from streammetrics.errors import ConfigError
from streammetrics.exposure import EVER, ExposureRow, exposure_rows
from tests.streams import empty_store, select


def rows(folder: Path, text: str, **files: str) -> list[ExposureRow]:
    """The rows that a config.toml of `text` makes; each file is named as its keyword, .csv."""
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return exposure_rows(config.load(folder / "config.toml", {}))


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


ALLOWED = "a build of 1 to 200 letters, users from 0 to 1e15, and a year from 1 to 9999 in UTC are meant"


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
        (",A,5\0", "holds a NUL character"),
        ("9999-12-31T23:59-12:00,A,5", ALLOWED),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, problem: str) -> None:
    text = "[[exposure]]\npath = 'users.csv'\n"
    assert rows(tmp_path, text, users=f"since,build,users\n,A,1\n{line}\n,B,2\n") == [(EVER, "A", 1), (EVER, "B", 2)]
    assert exposure.problems(config.load(tmp_path / "config.toml", {})) == [
        f"exposure.path: {tmp_path / 'users.csv'}: line 3 is left out: {problem}; "
        "since is a time such as 2026-11-23T06:00, in UTC where it has no offset, users a number"
    ]


@pytest.mark.parametrize("heading", ["Since,BUILD,Users", "build;USERS;since", "# by hand\n since, build, users"])
def test_headings_are_read_as_those_of_sources(tmp_path: Path, heading: str) -> None:
    names = [name.strip().lower() for name in heading.splitlines()[-1].replace(";", ",").split(",")]
    line = (";" if ";" in heading else ",").join({"since": "", "build": "A", "users": "5"}[name] for name in names)
    assert rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n", users=f"{heading}\n{line}\n") == [(EVER, "A", 5)]


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
    assert exposure_rows(settings) == [(EVER, "A", 12000)]
    aged(tmp_path / "users.csv", 601)
    assert exposure_rows(settings) == [(EVER, "A", 12000), (EVER, "B", 12)]


@pytest.mark.parametrize("begun", ["", "sin", "since,build,users"])
def test_while_a_file_is_written_anew_what_it_said_holds(tmp_path: Path, begun: str) -> None:
    path = tmp_path / "users.csv"
    rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n", users="since,build,users\n,A,5\n")
    settings = config.load(tmp_path / "config.toml", {})
    with empty_store() as connection:

        def users() -> list[tuple[Any, ...]]:
            with connection.begin():
                relations.replace(connection, settings)
            return select(connection, "select build, users from exposure")

        assert users() == [("A", 5)]
        path.write_text(begun)
        assert users() == [("A", 5)]
        path.write_text("since,build,users\n,A,6\n")
        assert users() == [("A", 6)]


def test_a_file_without_a_column_says_which_are_meant(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"users\.csv: has no column build and since; a CSV of since, build, users"):
        rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n", users="users\n5\n")
    path = tmp_path / "users.csv"
    path.write_text("")
    aged(path, 601)
    with pytest.raises(ConfigError, match=r"users\.csv: has no column build and since and users"):
        rows(tmp_path, "[[exposure]]\npath = 'users.csv'\n")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"exposure\.path: .*nowhere\.csv: cannot be read: .*No such file"):
        rows(tmp_path, "[[exposure]]\npath = 'nowhere.csv'\n")


def test_ever_can_be_stored_and_comes_back(tmp_path: Path) -> None:
    found = rows(tmp_path, "[[exposure]]\nbuild = 'A'\nusers = 1\n")
    with empty_store() as connection:
        with connection.begin():
            connection.exec_driver_sql("insert into exposure values (?, ?, ?)", found)
        assert select(connection, "select since_ts, build, users from exposure") == found
