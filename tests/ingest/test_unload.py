"""Batches that were loaded by wrong settings leave no trace but their row in `unloaded`, and are read again."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Config, DetectSettings, OutputSettings, RetentionSettings, Source, StoreSettings
from streammetrics.doctor import diagnosis
from streammetrics.errors import UsageError
from streammetrics.ingest import unload
from streammetrics.report import status
from streammetrics.store import retention
from tests.rules import REFERENCE
from tests.streams import reporting

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, 12)
START = datetime(2026, 11, 23, 10)
SAME = {
    "events": "select ts, build, code from events order by all",
    "counters": "select second, build, code, sum(errors) from counters group by all order by all",
    "builds": "select * from builds order by all",
    "codes": "select * exclude (repeat_batch_id), repeat_batch_id is null from codes order by all",
    "counters_wide": "select * from counters_wide order by all",
    "rejects": "select source, path, line, reason, content from rejects order by all",
    "alerts": (
        "select rule, baseline, candidate, code, window_bins, start_ts, stop_ts, value, baseline_errors\n"
        "from alerts where state = 'current' order by all"
    ),
}
"""What is the same whatever was loaded and unloaded before, and in which order."""


def lines(first: datetime, minutes: int, more: int = 0, builds: tuple[str, str] = ("1.9", "1.10")) -> str:
    """A record a second of two builds; of the new one `more` beside it, in the second half."""
    found = []
    for second in range(minutes * 60):
        moment = first + timedelta(seconds=second)
        found += [f"{moment},{builds[0]},7", f"{moment},{builds[1]},7"]
        found += [f"{moment},{builds[1]},9"] * (more if second >= minutes * 30 else 0)
    return "".join(f"{line}\n" for line in found)


class Site(Session):
    """A folder with `in/`, and what commands say there at a time that the test sets."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self.logged, self.printed = folder, list[str](), list[str]()
        self.now = NOW
        (folder / "in").mkdir(parents=True, exist_ok=True)
        super().__init__(self.settings(**settings), reporting(self.logged.append), self.printed.append, self.time)

    def settings(self, **settings: Any) -> Config:
        source = Source.model_validate({"name": "clients", "path": "in/*", **settings})
        store, output = StoreSettings(path="s.duckdb"), OutputSettings(dir="out")
        # What is an hour apart is not one incident.
        apart = DetectSettings(reopen_seconds=0)
        return Config(rule=REFERENCE[:1], detect=apart, store=store, output=output, source=(source,), base=self.folder)

    def time(self) -> datetime:
        return self.now

    def configured(self, **settings: Any) -> "Site":
        """The same with other settings of the source."""
        other = Site(self.folder, **settings)
        other.now = self.now
        return other

    def write(self, name: str, text: str) -> Path:
        path = self.folder / "in" / name
        path.write_text(text)
        return path

    def append(self, name: str, text: str) -> None:
        with (self.folder / "in" / name).open("a") as stream:
            stream.write(text)

    def run(self) -> list[str]:
        """What a run prints."""
        self.printed.clear()
        assert pipeline.run(self, is_final=False, exit_code=False) == 0, self.logged
        return list(self.printed)

    def unload(self, *batch_ids: int, source: str | None = None, since: datetime | None = None) -> list[str]:
        return [unload.render(one) for one in unload.unload(self.store, batch_ids, source, since, self.now)]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "s.duckdb"), read_only=True) as shell:
            return shell.execute(sql).fetchall()

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        return {name: self.rows(sql) for name, sql in SAME.items()}

    def findings(self) -> list[str]:
        found = diagnosis.examine(self.store, self.config, self.now)
        return [diagnosis.render(one) for one in found if one.check != "disk"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An empty one; pictures take the longest, and nobody looks at them here."""
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
    return Site(tmp_path / "site")


HEAD = "ts,build,code\n"


def test_a_wrong_time_zone_is_as_if_it_had_never_been(site: Site, tmp_path: Path) -> None:
    """An hour ahead: false alerts lie behind all that is left; the right ones come with the settings."""
    good, late = HEAD + lines(START, 30), HEAD + lines(START + timedelta(hours=2), 20, more=8)
    site.write("good.csv", good)
    site.run()
    site.write("late.csv", late)
    site.now = START + timedelta(hours=2)
    opened = site.run()
    assert [line.split()[:3] for line in opened] == [["OPENED", "code", "9"]]
    site = site.configured(timezone="Etc/GMT-1")
    (line,) = site.unload(2)
    assert line.startswith(f"batch 2: {site.folder / 'in' / 'late.csv'}: 7,200 records, loaded 2026-11-23 12:00:00")
    assert site.findings() == []
    assert site.rows("select count(*) from events") == [(3600,)]
    notices = site.run()
    assert sorted(line.split()[0] for line in notices) == ["OPENED", "WITHDRAWN"]
    assert site.findings() == []
    assert site.rows("select batch_id, records, unloaded_at, run_id from unloaded") == [(2, 7200, site.now, 2)]
    right = Site(tmp_path / "right", timezone="Etc/GMT-1")
    right.now = site.now
    right.write("late.csv", late)
    right.run()
    assert right.contents()["alerts"]
    # The first file was read as UTC, and stays.
    site.unload(1)
    (site.folder / "in" / "good.csv").unlink()
    site.run()
    assert {**site.contents(), "rejects": []} == right.contents()


def test_all_that_a_file_grew_by_later_goes_with_it(site: Site) -> None:
    site.write("other.csv", HEAD + lines(START, 1, builds=("2.9", "2.10")))
    site.write("app.log.csv", HEAD + lines(START, 1))
    pipeline.ingest(site)
    for minute in (1, 2):
        site.append("app.log.csv", lines(START + timedelta(minutes=minute), 1))
        site.append("other.csv", lines(START + timedelta(minutes=minute), 1, builds=("2.9", "2.10")))
        pipeline.ingest(site)
    before = site.contents()
    batches = dict(site.rows("select batch_id, path from batches"))
    ours = [batch_id for batch_id, path in batches.items() if "app.log" in path]
    removed = site.unload(ours[1])
    assert [line.split(": ")[0] for line in removed] == [f"batch {ours[1]}", f"batch {ours[2]}"]
    assert "continues" not in removed[0]
    assert removed[1].endswith(f"; it continues batch {ours[1]}")
    assert site.rows("select count(*) from events") == [(4 * 120,)]
    pipeline.ingest(site)
    assert site.contents() == before
    assert site.findings() == []


@pytest.mark.parametrize("header_lines", [1, 30])
def test_a_rotated_file_is_one_file(site: Site, header_lines: int) -> None:
    """Its continuation lies under another name; a new file that begins alike is another one."""
    text = lines(START, 1)
    few = "".join(text.splitlines(keepends=True)[:header_lines])
    site.write("app.csv", HEAD + few)
    pipeline.ingest(site)
    with (site.folder / "in" / "app.csv").open("a") as stream:
        stream.write(text[len(few) :])
    (site.folder / "in" / "app.csv").rename(site.folder / "in" / "app.1.csv")
    site.write("app.csv", HEAD + lines(START + timedelta(hours=1), 1))
    pipeline.ingest(site)
    before = site.contents()
    (first,) = site.rows("select batch_id from batches where range_start = 0 and records = " + str(header_lines))[0]
    assert len(site.unload(first)) == 2
    assert site.rows("select count(*), min(ts) from events") == [(120, START + timedelta(hours=1))]
    pipeline.ingest(site)
    assert site.contents() == before
    assert site.findings() == []


def test_copies_go_with_what_they_are_copies_of(site: Site) -> None:
    for name in ("a.csv", "b.csv"):
        site.write(name, HEAD + lines(START, 1))
    pipeline.ingest(site)
    before = site.contents()
    with pytest.raises(
        UsageError, match="batch 2 has no records of its own: its content was loaded as batch 1; unload"
    ):
        site.unload(2)
    assert len(site.unload(1)) == 1
    assert site.rows("select * from batches") == []
    (site.folder / "in" / "a.csv").unlink()
    pipeline.ingest(site)
    assert site.contents() == before


def test_builds_that_only_wrong_columns_knew_are_gone(site: Site) -> None:
    site.write("good.csv", HEAD + lines(START, 20))
    site.run()
    before = site.contents()
    site.write("bad.csv", HEAD + lines(START + timedelta(minutes=20), 20, more=8))
    wrong = site.configured(columns={"ts": "ts", "build": "code", "code": "build"})
    assert [line.split()[:3] for line in wrong.run()] != []
    assert site.rows("select count(*) from builds") == [(4,)]
    site.unload(2)
    assert {**site.contents(), "alerts": []} == before
    (site.folder / "in" / "bad.csv").rename(site.folder / "bad.csv")
    assert {line.split()[0] for line in site.run()} == {"WITHDRAWN"}
    assert site.contents() == before
    assert site.findings() == []


def test_a_store_of_which_all_was_unloaded_has_no_alerts(site: Site) -> None:
    path = site.write("bad.csv", HEAD + lines(START, 20, more=8))
    assert site.run()
    site.unload(1)
    path.unlink()
    assert {line.split()[0] for line in site.run()} == {"WITHDRAWN"}
    assert [name for name, rows in site.contents().items() if rows] == []
    assert site.run() == []
    assert site.findings() == []


@pytest.mark.parametrize("bad", [0, 4, 8])
def test_a_day_of_a_long_history(site: Site, bad: int) -> None:
    """What lies days apart is judged in portions, of which those without a record are passed over."""
    for day in (0, 4, 8):
        site.write(f"{day}.csv", HEAD + lines(START - timedelta(days=9 - day), 20, more=8 if day == bad else 0))
    site.run()
    assert site.contents()["alerts"]
    (site.folder / "in" / f"{bad}.csv").unlink()
    assert len(site.unload(1 + bad // 4)) == 1
    assert {line.split()[0] for line in site.run()} == {"WITHDRAWN"}
    assert site.contents()["alerts"] == []
    assert site.findings() == []


def test_by_source_and_time_of_loading(site: Site) -> None:
    for number in range(3):
        site.now = NOW + timedelta(minutes=number)
        site.write(f"{number}.csv", HEAD + lines(START + timedelta(minutes=number), 1))
        pipeline.ingest(site)
    removed = site.unload(source="clients", since=NOW + timedelta(minutes=1))
    assert [line.split(": ")[0] for line in removed] == ["batch 2", "batch 3"]
    assert site.rows("select batch_id from batches") == [(1,)]


def test_what_cannot_be_unloaded_changes_nothing(site: Site) -> None:
    site.write("a.csv", HEAD + lines(START, 1))
    pipeline.ingest(site)
    before = site.contents()
    wrong: list[tuple[tuple[int, ...], str | None, datetime | None, str]] = [
        ((1, 9), None, None, "there is no batch 9; `streammetrics query"),
        (
            (),
            "clients",
            NOW + timedelta(seconds=1),
            "no batch of source 'clients' was loaded since 2026-11-23 12:00:01",
        ),
        ((), "others", NOW, "no batch is of source 'others'; there are batches of: clients"),
        ((), None, NOW, "give both --source NAME and --since TIME"),
    ]
    for batch_ids, source, since, words in wrong:
        with pytest.raises(UsageError, match=words):
            site.unload(*batch_ids, source=source, since=since)
    assert site.contents() == before
    assert site.rows("select * from unloaded") == []
    site.unload(1)
    with pytest.raises(UsageError, match="batch 1 was unloaded at 2026-11-23 12:00:00 already"):
        site.unload(1)


def test_a_file_that_was_rewritten_is_missed_once(site: Site) -> None:
    """What the store holds of the former content is what it held before the new one was read."""
    site.write("a.csv", HEAD + lines(START, 1))
    pipeline.ingest(site)
    site.write("a.csv", HEAD + lines(START + timedelta(minutes=5), 1))
    pipeline.ingest(site)
    assert site.rows("select batch_id, state from replaced") == [(1, "rewritten")]
    site.unload(2)
    assert site.rows("select * from replaced") == []
    pipeline.ingest(site)
    assert site.rows("select batch_id, state from replaced") == [(1, "rewritten")]
    site.unload(1)
    assert site.rows("select * from replaced") == []
    assert site.findings() == []


def test_a_file_that_is_not_there_any_more_is_named(site: Site) -> None:
    path = site.write("a.csv", HEAD + lines(START, 1))
    pipeline.ingest(site)
    path.unlink()
    found = unload.unload(site.store, [1], None, None, NOW)
    assert unload.summary(found) == [
        "1 batch unloaded, 120 records; the next ingest reads them again, and the next pass judges the "
        "affected bins again",
        f"1 file no longer there, such as {path}: move it back to a path of a [[source]] to have it read again",
    ]


def test_what_retention_removed_stays_in_builds_and_codes(site: Site) -> None:
    """Of what began before its horizon they know more than the counters, and lose what is unloaded all the same."""
    site.write("1.csv", HEAD + lines(START - timedelta(days=9), 2, builds=("1.8", "1.9")))
    site.write("2.csv", HEAD + lines(START, 2, more=1))
    pipeline.ingest(site)
    with site.store.write() as connection:
        while retention.prune(connection, RetentionSettings(counters_days=3), NOW) is not None:
            pass
    ((horizon,),) = site.rows("select max(before_ts) from pruned")
    before = site.contents()
    assert [build for build, *_ in before["builds"]] == ["1.10", "1.8", "1.9"]
    bad = lines(START + timedelta(minutes=1), 5, more=1, builds=("1.9", "3.0")) + lines(START, 1)
    site.write("bad.csv", HEAD + bad)
    pipeline.ingest(site)
    site.unload(3)
    assert site.contents() == before
    assert site.findings() == []
    # Of 1.8 nothing is kept that tells when it was last sent: before the horizon.
    (site.folder / "in" / "bad.csv").write_text(HEAD + lines(START, 1, builds=("1.8", "1.9")))
    pipeline.ingest(site)
    (site.folder / "in" / "bad.csv").unlink()
    site.unload(2, 4)
    last = horizon - timedelta(seconds=1)
    assert site.rows("select build, last_second from builds order by build") == [("1.8", last), ("1.9", last)]
    assert site.rows("select build, errors, seconds from codes order by build") == [
        ("1.8", 120, 120),
        ("1.9", 120, 120),
    ]
    assert site.findings() == []


def ahead(first_seconds: float, last_seconds: float) -> str:
    """A file of records that are so far ahead of the clock."""
    moments = (NOW + timedelta(seconds=seconds) for seconds in (first_seconds, last_seconds))
    return HEAD + "".join(f"{moment},1.9,7\n" for moment in moments)


SUSPECTED = "all new records are ahead of the clock, the first by "


def test_a_file_that_is_ahead_of_the_clock_is_suspected(site: Site) -> None:
    path = site.write("a.csv", ahead(301, 3599))
    pipeline.ingest(site)
    assert site.logged == [
        f"{path}: all new records are ahead of the clock, the first by 0:05:01, the last by 0:59:59 (h:mm:ss): is "
        "timezone = 'UTC' of [[source]] 'clients' wrong? `streammetrics unload 1`, correct it, and they are read again"
    ]
    words = (
        f"1 file of the last day whose newest records are ahead of the clock, such as {path}: is timezone wrong? "
        "`streammetrics unload 1`, correct it, and they are read again"
    )
    assert words in status.render(status.collect(site.store, site.config, NOW))
    site.unload(1)
    assert "ahead of the clock, such as" not in status.render(status.collect(site.store, site.config, NOW))


@pytest.mark.parametrize("first", [3000, 3700])
def test_records_that_are_rejected_for_it_count_as_well(site: Site, first: int) -> None:
    """Where none counts the file is read again by itself."""
    path = site.write("a.csv", ahead(first, 19_800))
    pipeline.ingest(site)
    message = site.logged[-1].splitlines()[-1]
    place = f"{path}: {SUSPECTED}{timedelta(seconds=first)}, the last by 5:30:00 (h:mm:ss): "
    assert message.startswith(place)
    assert ("unload 1" in message) == (first == 3000)


@pytest.mark.parametrize(
    ("first", "last"),
    [(1, 60), (300, 3000), (-1, 3600), (-86_400, 5 * 3600), (3700, 86_401), (10**8, 10**8)],
)
def test_a_clock_that_is_off_is_no_time_zone(site: Site, first: int, last: int) -> None:
    site.write("a.csv", ahead(first, last))
    pipeline.ingest(site)
    assert [line for line in site.logged if SUSPECTED in line] == []
    assert "ahead of the clock, such as" not in status.render(status.collect(site.store, site.config, NOW))


def stream(*, count: int, step: int, last: int) -> str:
    """So many records, `step` seconds apart; the last is `last` seconds ahead of the clock."""
    moments = (NOW + timedelta(seconds=last - step * n) for n in reversed(range(count)))
    return "".join(f"{moment},1.9,7\n" for moment in moments)


@pytest.mark.parametrize(("count", "step", "last"), [(3600, 1, 3540), (1440, 60, 3540), (200, 40, 3600)])
def test_a_file_whose_newest_records_are_all_ahead_of_the_clock_is_suspected(
    site: Site, count: int, step: int, last: int
) -> None:
    """It began before; what a clock of the wrong time zone writes goes on evenly through what is the present."""
    path = site.write("a.csv", HEAD + stream(count=count, step=step, last=last))
    pipeline.ingest(site)
    assert site.logged == [
        f"{path}: its newest records are ahead of the clock, by up to {timedelta(seconds=last)} (h:mm:ss): is timezone "
        "= 'UTC' of [[source]] 'clients' wrong? `streammetrics unload 1`, correct it, and they are read again"
    ]
    assert f"whose newest records are ahead of the clock, such as {path}" in status.render(
        status.collect(site.store, site.config, NOW)
    )
    site.write("b.csv", HEAD + stream(count=30, step=1, last=0))
    site.logged.clear()
    pipeline.ingest(site)
    assert site.logged == [], "it is logged once"


@pytest.mark.parametrize(
    "more",
    [
        stream(count=400, step=0, last=3000),
        stream(count=400, step=1, last=3000),
        stream(count=15, step=200, last=3500),
        stream(count=400, step=1, last=300),
    ],
    ids=["a burst", "minutes", "few", "a little ahead"],
)
def test_a_few_clients_whose_clocks_are_ahead_are_no_time_zone(site: Site, more: str) -> None:
    site.write("a.csv", HEAD + stream(count=7200, step=1, last=0) + more)
    pipeline.ingest(site)
    assert site.logged == []


def test_a_gap_that_opens_before_what_was_removed(site: Site, tmp_path: Path) -> None:
    """The bins before it were judged as if the feed went on: they are judged again as well."""
    whole = lines(START, 20, more=8).splitlines(keepends=True)
    stop = f"{START + timedelta(minutes=19, seconds=45)},1.9"
    before = HEAD + "".join(line for line in whole if line < stop or ",1.10," in line)
    after = HEAD + lines(START + timedelta(minutes=40), 5)
    site.write("1.csv", before)
    bad = site.write("2.csv", HEAD + lines(START + timedelta(minutes=20), 20))
    site.write("3.csv", after)
    site.run()
    bad.unlink()
    site.unload(2)
    site.run()
    right = Site(tmp_path / "right")
    right.write("1.csv", before)
    right.write("3.csv", after)
    right.run()
    assert site.contents() == right.contents()
    assert site.findings() == []
