"""Batches that were loaded by wrong settings leave no trace but their row in `unloaded`, and are read again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streammetrics import doctor, jobs, unload
from streammetrics.config import Config, OutputSettings, Source, StoreSettings
from streammetrics.errors import UsageError
from streammetrics.progress import Progress
from streammetrics.session import Session
from tests.rules import REFERENCE

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
        self.folder, self.said, self.printed = folder, list[str](), list[str]()
        self.now = NOW
        (folder / "in").mkdir(parents=True, exist_ok=True)
        super().__init__(self.settings(**settings), Progress(False, self.said.append), self.printed.append, self.time)

    def settings(self, **settings: Any) -> Config:
        source = Source.model_validate({"name": "clients", "path": "in/*", **settings})
        store, output = StoreSettings(path="s.duckdb"), OutputSettings(dir="out")
        return Config(rule=REFERENCE, store=store, output=output, source=(source,), base=self.folder)

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
        assert jobs.run(self, is_final=False, exit_code=False) == 0, self.said
        return list(self.printed)

    def unload(self, *batch_ids: int, source: str | None = None, since: datetime | None = None) -> list[str]:
        return [unload.render(one) for one in unload.unload(self.store, batch_ids, source, since, self.now)]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "s.duckdb"), read_only=True) as shell:
            return shell.execute(sql).fetchall()

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        return {name: self.rows(sql) for name, sql in SAME.items()}

    def findings(self) -> list[str]:
        found = doctor.examine(self.store, self.config, self.now)
        return [doctor.render(one) for one in found if one.check != "disk"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    yield Site(tmp_path / "site")


HEAD = "ts,build,code\n"


def test_a_wrong_time_zone_is_as_if_it_had_never_been(site: Site, tmp_path: Path) -> None:
    """An hour ahead: false alerts lie behind all that is left; the right ones come with the settings."""
    good, late = HEAD + lines(START, 60), HEAD + lines(START + timedelta(hours=2), 30, more=8)
    site.write("good.csv", good)
    site.run()
    site.write("late.csv", late)
    site.now = START + timedelta(hours=2, minutes=0)
    opened = site.run()
    assert [line.split()[:3] for line in opened] == [["OPENED", "code", "9"]] * 2
    site = site.configured(timezone="Etc/GMT-1")
    (line,) = site.unload(2)
    assert line.startswith(f"batch 2: {site.folder / 'in' / 'late.csv'}: 10,800 records, loaded 2026-11-23 12:00:00")
    assert site.findings() == []
    assert site.rows("select count(*) from events") == [(7200,)]
    news = site.run()
    assert sorted(line.split()[0] for line in news) == ["OPENED", "OPENED", "WITHDRAWN", "WITHDRAWN"]
    assert site.findings() == []
    assert site.rows("select batch_id, records, unloaded_at, run_id from unloaded") == [(2, 10800, site.now, 2)]
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
