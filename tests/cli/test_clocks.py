"""A clock that was set wrong is reported; it reads, judges and removes nothing that the right one would not."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Config, RetentionSettings, Source, StoreSettings
from streammetrics.errors import InputOutputError
from tests.streams import reporting, select

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, 12)
DAY = timedelta(days=1)
KEEP = RetentionSettings(events_days=30, counters_days=30, alerts_days=30, rejects_days=30)


class Site:
    """An installation whose clock is set before each run; its first file was read at NOW."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.messages = folder, list[str]()
        (folder / "in").mkdir()
        self.config = Config(
            base=folder,
            retention=KEEP,
            store=StoreSettings(path="s.duckdb"),
            source=(Source(name="a", path="in/*.csv"),),
        )
        self.write("a.csv", NOW, "".join(f"2026-11-23 11:00:{second:02d},5.9,1\n" for second in range(60)))
        assert self.run(NOW) == 0

    def write(self, name: str, written: datetime, lines: str) -> None:
        path = self.folder / "in" / name
        path.write_text("ts,build,code\n" + lines)
        os.utime(path, (written.replace(tzinfo=UTC).timestamp(),) * 2)

    def run(self, now: datetime, *, accept_clock: bool = False) -> int:
        self.messages.clear()
        progress = reporting(self.messages.append)
        session = Session(self.config, progress, self.messages.append, lambda: now, accept_clock=accept_clock)
        return pipeline.run(session, is_final=False, exit_code=False)

    def kept(self, sql: str = "select count(*) from events") -> object:
        session = Session(self.config, reporting(print))
        with session.store.read() as connection:
            connection.rollback()
            ((found,),) = select(connection, sql)
        return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_clock_that_is_ahead_reads_judges_and_removes_nothing(site: Site) -> None:
    site.write("b.csv", NOW + timedelta(minutes=1), "2026-11-23 12:00:01,5.9,1\n2026-11-23 12:00")
    passes = site.kept("select count(*) from runs")
    for ahead in (DAY + timedelta(minutes=2), 1100 * DAY):
        with pytest.raises(InputOutputError) as caught:
            site.run(NOW + ahead)
        assert str(caught.value).startswith(f"the clock shows {NOW + ahead} UTC, and the store was last written to at ")
        assert "nothing was read, judged or removed" in str(caught.value)
        assert "run once with --accept-clock" in str(caught.value)
        assert caught.value.exit_code == 74
    assert (site.kept(), site.kept("select count(*) from runs")) == (60, passes)
    assert site.run(NOW + timedelta(minutes=2)) == 0
    assert site.kept() == 61, "the half line still waits"


def test_a_file_confirms_the_clock_if_counters_are_kept(site: Site) -> None:
    days = {"events_days": 7, "rejects_days": 7, "alerts_days": 7}
    site.config = site.config.model_copy(update={"retention": RetentionSettings(**days)})
    site.write("b.csv", NOW + 10 * DAY, "2026-12-03 11:00:00,5.9,1\n")
    assert site.run(NOW + 10 * DAY) == 0


def test_no_file_confirms_a_clock_by_which_all_counters_are_old(site: Site) -> None:
    """An application on the same machine has written it by the same clock."""
    wrong = NOW + 31 * DAY
    site.write("b.csv", wrong, "".join(f"{wrong - timedelta(seconds=second)},5.9,1\n" for second in range(25)))
    with pytest.raises(InputOutputError, match="counters_days = 30 would remove all of them; set the clock"):
        site.run(wrong)
    assert site.kept() == 60
    assert site.run(wrong, accept_clock=True) == 0
    assert site.kept() == 25


def test_a_day_without_a_run_is_no_jump(site: Site) -> None:
    assert site.run(NOW + DAY) == 0


def test_a_store_that_was_not_used_goes_on_with_the_first_file_that_agrees(site: Site) -> None:
    later = NOW + 7 * DAY
    site.write("b.csv", later - timedelta(hours=23), "2026-11-30 11:00:00,5.9,1\n")
    assert site.run(later) == 0
    assert (site.kept(), site.messages) == (61, [])
    os.utime(site.folder / "in" / "b.csv", (NOW.timestamp(),) * 2)
    assert site.run(later + DAY) == 0, "the clock is known from then on"


ROW = NOW + 7 * DAY - timedelta(hours=3)


@pytest.mark.parametrize(
    ("kind", "last", "is_believed"),
    [
        ("text", f"{ROW}", True),
        ("text", f"{ROW}+09:00", True),
        ("integer", ROW.replace(tzinfo=UTC).timestamp() * 1000, True),
        ("real", ROW.replace(tzinfo=UTC).timestamp(), True),
        ("text", f"{NOW}", False),
        ("text", f"{NOW + 9 * DAY}", False),
        ("text", "yesterday", False),
        ("text", None, False),
    ],
)
def test_the_newest_row_of_a_database_says_what_time_it_is(
    tmp_path: Path, kind: str, last: object, is_believed: bool
) -> None:
    site = Site(tmp_path)
    url = f"sqlite:///{tmp_path}/rows.db"
    settings = {"url": url, "table": "errors", "cursor": "id"}
    site.config = site.config.model_copy(update={"source": (Source.model_validate({"name": "rows", **settings}),)})
    with closing(sqlite3.connect(tmp_path / "rows.db")) as rows:
        rows.execute(f"create table errors (id integer, ts {kind}, build text, code text)")
        rows.execute("insert into errors values (1, ?, '5.9', '1')", (f"{NOW}",))
        rows.commit()
        assert site.run(NOW) == 0
        rows.execute("insert into errors values (2, ?, '5.9', '1')", (last,))
        rows.commit()
    os.utime(tmp_path / "rows.db", (NOW.timestamp(),) * 2)
    if is_believed:
        assert site.run(NOW + 7 * DAY) == 0
        assert (site.kept(), site.messages) == (62, [])
    else:
        with pytest.raises(InputOutputError, match="and so does the newest row of a database"):
            site.run(NOW + 7 * DAY)


def test_a_database_that_cannot_be_read_says_nothing_of_the_time(site: Site) -> None:
    missing = {"name": "rows", "url": "sqlite:////nowhere/rows.db", "table": "errors", "cursor": "id"}
    site.config = site.config.model_copy(update={"source": (Source.model_validate(missing),)})
    with pytest.raises(InputOutputError, match="run once with --accept-clock"):
        site.run(NOW + 7 * DAY)


def test_an_accepted_clock_is_believed_from_then_on(site: Site) -> None:
    later = NOW + 7 * DAY
    assert site.run(later, accept_clock=True) == 0
    assert site.run(later + DAY) == 0


def test_a_clock_that_is_behind_stands_still_and_removes_nothing(site: Site) -> None:
    site.write("b.csv", NOW, "2026-11-23 12:04:00,5.9,1\n")
    assert site.run(NOW - 2 * DAY) == 0
    assert site.messages == [
        f"the clock shows {NOW - 2 * DAY} UTC, and the store was last written to at {NOW} UTC: the store's last "
        "time is used, and nothing is removed; set the clock or, if it is right, run once with --accept-clock"
    ]
    assert site.kept() == 61
    assert site.kept("select max(finished_at) from runs") == NOW
    site.write("c.csv", NOW, "2026-11-23 12:04:01,5.9,1\n")
    assert site.run(NOW - DAY) == 0
    assert (site.kept(), site.messages) == (62, [])


def test_a_store_that_was_written_to_by_a_clock_far_ahead_is_mended_once(site: Site) -> None:
    """Else records of the years up to that clock would never be of the future again."""
    assert site.run(NOW + 1100 * DAY, accept_clock=True) == 0
    assert site.kept() == 60, "no clock alone makes records old"
    assert site.run(NOW + DAY, accept_clock=True) == 0
    assert site.run(NOW + DAY) == 0
    assert site.messages == []
    site.write("b.csv", NOW + DAY, "2027-11-23 12:30:00,5.9,1\n2026-11-24 11:00:00,5.9,1\n")
    assert site.run(NOW + DAY) == 0
    assert site.kept("select min(reason) from rejects") == (
        "31,451,400 s ahead of the clock, more than ingest.future_limit_seconds = 3600"
    )


def test_records_make_older_ones_old(site: Site) -> None:
    later = NOW + 60 * DAY
    site.write("b.csv", later, "".join(f"2027-01-22 11:00:{second:02d},5.9,1\n" for second in range(19)))
    assert site.run(later, accept_clock=True) == 0
    assert site.kept() == 79, "a few may come from clocks that are ahead"
    site.write("c.csv", later, "2027-01-22 11:01:00,5.9,1\n")
    assert site.run(later) == 0
    assert site.kept() == 20
