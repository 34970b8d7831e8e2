"""What doctor finds in a store that was tampered with, what it says of one that does not open, and what it mends."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from streammetrics.config import Config, OutputSettings, PublishSettings, Source, StoreSettings
from streammetrics.detect import passes
from streammetrics.doctor import diagnosis
from streammetrics.errors import InputOutputError, StoreBusyError, UsageError
from streammetrics.ingest.files import ingest
from streammetrics.store import backup
from streammetrics.store.connection import Store
from tests.rules import REFERENCE
from tests.streams import EPOCH, MONDAY, clock

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two files, the store that holds them, and alerts."""
    folder = tmp_path_factory.mktemp("judged")
    for part in range(2):
        lines = ["ts,build,code"]
        for second in range(part * 900, part * 900 + 900):
            moment = EPOCH + timedelta(seconds=MONDAY + second)
            lines += [f"{moment},1.9,7", *[f"{moment},1.10,7"] * (8 if second >= 600 else 1)]
        (folder / f"{part}.csv").write_text("\n".join([*lines, "no time,1.9,7"]) + "\n")
    with Store(folder / "a.duckdb").write() as connection:
        for _ in ingest(connection, config(folder), [folder / "0.csv", folder / "1.csv"], None, clock):
            pass
        passes.judge(connection, config(folder), clock)
    return folder


@pytest.fixture
def folder(judged: Path, tmp_path: Path) -> Path:
    return shutil.copytree(judged, tmp_path / "store")


def config(folder: Path) -> Config:
    return Config(rule=REFERENCE, store=StoreSettings(path="a.duckdb"), output=OutputSettings(dir="."), base=folder)


def findings(folder: Path) -> list[diagnosis.Finding]:
    return list(diagnosis.examine(Store(folder / "a.duckdb", 0), config(folder), clock()))


def alerts(folder: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "a.duckdb"), read_only=True) as shell:
        return shell.execute(
            "select alert_id, rule, code, window_bins, stop_ts, value, state from alerts order by all"
        ).fetchall()


@contextmanager
def tampered(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(folder / "a.duckdb")) as shell:
        yield shell


def test_a_store_that_is_well_has_no_findings(folder: Path) -> None:
    assert findings(folder) == []
    assert alerts(folder)


@pytest.mark.parametrize(
    "harms",
    [
        [
            ("delete from events where rowid = 5", "records", "batch 1 of"),
            ("delete from counters where batch_id = 2", "counters", "its counters add up to 0 or differ from them"),
            ("delete from rejects where batch_id = 1", "rejects", "the ledger has 1 rejects, stored are 0"),
            ("delete from codes where build = '1.9'", "codes", "build 1.9, code 7: "),
            ("update alerts set state = 'lost' where alert_id = 1", "alerts", "alert 1: its state is lost"),
            ("update progress set seen_batch_id = 7", "progress", "has judged batch 7, which is not in the ledger"),
            (
                "update batches set loaded_at = '2026-11-23 14:00'",
                "clock",
                "loaded at 2026-11-23 14:00:00, and the clock",
            ),
            ("drop view incidents", "views", "view incidents is missing"),
        ],
        [
            (
                "insert into events select * from events limit 1",
                "records",
                "the ledger has 3900 records, stored are 3901",
            ),
            (
                "insert into batches select * from batches where batch_id = 2",
                "ledger",
                "batch 2 is in the ledger 2 times",
            ),
            ("update builds set first_second = last_second where build = '1.9'", "builds", "build 1.9: "),
            ("insert into codes (build, code) values ('1.9', '8')", "codes", "build 1.9, code 8: "),
            ("insert into alerts select * from alerts where alert_id = 1", "alerts", "alert 1 is there 2 times"),
        ],
        [
            ("update events set batch_id = 9 where batch_id = 2", "orphans", "batch 9 is not in the ledger: "),
            ("update batches set max_ts = max_ts + interval 1 second where batch_id = 1", "times", "batch 1 of"),
            ("update counters set code = '8' where batch_id = 1", "counters", "batch 1 of"),
            ("update builds set since_second = null where build = '1.9'", "builds", "build 1.9: "),
            ("update alerts set incident_id = 1", "incidents", "incident 1: has alerts of more than one code"),
        ],
        [
            ("update counters set second = second + interval 1 hour where batch_id = 2", "counters", "batch 2 of"),
            ("update builds set version_rank = 3 - version_rank", "builds", "builds 1.10 and 1.9: their order"),
            ("update alerts set stop_ts = stop_ts + interval 1 second where alert_id = 2", "alerts", "end a bin after"),
        ],
        [
            ("update batches set batch_id = 50 where batch_id = 2", "sequences", "batch_ids: gives 3 next, and 50 is"),
            ("delete from builds where build = '1.9'", "builds", "build 1.9: "),
            ("update alerts set run_id = 99 where alert_id = 1", "alerts", "there is no run 99"),
            ("update contents set batch_id = 77 where batch_id = 2", "ledger", "contents refers to batch 77"),
        ],
        [
            ("update builds set since_second = since_second + interval 1 second", "builds", "build 1.10: "),
            ("update codes set seconds = seconds - 1 where build = '1.9'", "codes", "build 1.9, code 7: errors, "),
            ("update codes set repeat_batch_id = 2 where build = '1.10'", "codes", "build 1.10, code 7: errors, "),
        ],
    ],
    ids=lambda harms: " ".join(check for _, check, _ in harms),
)
def test_what_was_tampered_with_is_found(folder: Path, harms: list[tuple[str, str, str]]) -> None:
    """Harms that do not touch each other, each with the check that finds it."""
    with tampered(folder) as shell:
        for sql, _, _ in harms:
            shell.execute(sql)
    found = findings(folder)
    missed = [harm for harm in harms if not any(one.check == harm[1] and harm[2] in one.what for one in found)]
    assert missed == [], found


@pytest.mark.parametrize(
    "harms",
    [
        ["delete from counters where batch_id = 2", "update counters set errors = errors + 1 where build = '1.10'"],
        [
            "insert into counters select second, build, code, errors, 77 from counters",
            "update counters set second = second - interval 1 hour where batch_id = 1",
            "delete from codes where build = '1.9'",
            "drop view incidents",
        ],
        ["delete from builds"],
        ["update codes set errors = 1, first_second = last_second, seconds = 0, repeat_batch_id = null"],
        ["update builds set since_second = last_second, version_rank = 3 - version_rank"],
    ],
)
def test_what_is_made_from_records_is_mended_and_judged_anew(folder: Path, harms: list[str]) -> None:
    before = alerts(folder)
    with tampered(folder) as shell:
        for sql in harms:
            shell.execute(sql)
    assert findings(folder)
    diagnosis.mend(Store(folder / "a.duckdb"))
    assert findings(folder) == []
    with Store(folder / "a.duckdb").write() as connection:
        passes.judge(connection, config(folder), clock)
    assert alerts(folder) == before


def test_alerts_of_counters_that_were_wrong_are_retracted(folder: Path) -> None:
    """The pass of before judged by them; after the repair the next one judges again from there."""
    before = alerts(folder)
    with tampered(folder) as shell:
        shell.execute("update counters set errors = 100 * errors where batch_id = 1 and build = '1.10'")
        shell.execute("update progress set judged_until = timestamp '1970-01-01'")
    with Store(folder / "a.duckdb").write() as connection:
        passes.judge(connection, config(folder), clock)
    assert alerts(folder) != before
    (counters, judged) = diagnosis.mend(Store(folder / "a.duckdb"))
    assert counters == "the counters of 1 batches were rebuilt from their records"
    assert judged == "the next run judges again everything after 2026-11-23 00:00:00"
    with Store(folder / "a.duckdb").write() as connection:
        passes.judge(connection, config(folder), clock)
    assert [row for row in alerts(folder) if row[-1] == "current"] == before


def test_records_that_are_lost_are_not_papered_over(folder: Path) -> None:
    with tampered(folder) as shell:
        shell.execute("delete from events where batch_id = 1")
    diagnosis.mend(Store(folder / "a.duckdb"))
    with tampered(folder) as shell:
        assert shell.execute("select sum(errors) from counters where batch_id = 1").fetchone() == (3900,)
    assert [one.check for one in findings(folder)] == ["records"]


def test_what_retention_removed_is_not_missing(folder: Path) -> None:
    with tampered(folder) as shell:
        prune = (
            "insert into pruned select '{0}', now(), batch_id, {1}, now() from {0} "
            "where {2} < timestamp '2026-11-23 00:05:00' group by batch_id"
        )
        for relation, records, time in (("events", "count(*)", "ts"), ("counters", "sum(errors)", "second")):
            shell.execute(prune.format(relation, records, time))
            shell.execute(f"delete from {relation} where {time} < timestamp '2026-11-23 00:05:00'")
    assert findings(folder) == []
    assert diagnosis.mend(Store(folder / "a.duckdb")) == []
    assert findings(folder) == []
    with tampered(folder) as shell:
        shell.execute("delete from events where ts = (select max(ts) from events)")
        shell.execute("delete from counters where batch_id = 1 and second = timestamp '2026-11-23 00:06:00'")
    assert [one.check for one in findings(folder)] == ["records", "counters"]


def test_codes_say_no_less_than_what_retention_has_kept(folder: Path) -> None:
    """Of what was removed they tell more than the counters; less would be wrong, and is mended."""
    with tampered(folder) as shell:
        before = shell.execute("select * from codes order by all").fetchall()
        early = "second < timestamp '2026-11-23 00:05:00'"
        shell.execute(
            "insert into pruned select 'counters', now(), batch_id, sum(errors), now() from counters "
            f"where {early} group by batch_id"
        )
        shell.execute(f"delete from counters where {early}")
    assert findings(folder) == []
    diagnosis.mend(Store(folder / "a.duckdb"))
    with tampered(folder) as shell:
        assert shell.execute("select * from codes order by all").fetchall() == before
        shell.execute("update codes set errors = 1, seconds = 1, repeat_batch_id = null where build = '1.9'")
        shell.execute("delete from codes where build = '1.10'")
    assert sorted(one.what for one in findings(folder)) == [
        "build 1.10, code 7: is counted and not listed, or listed and not counted",
        "build 1.9, code 7: errors, seconds, the first or the last are not those of its counters",
    ]
    diagnosis.mend(Store(folder / "a.duckdb"))
    assert findings(folder) == []
    with tampered(folder) as shell:
        mended = "select build, errors, seconds, repeat_batch_id from codes order by all"
        assert shell.execute(mended).fetchall() == [("1.10", 9900, 1500, 1), ("1.9", 1500, 1500, 1)]


def test_nothing_to_mend_changes_nothing(folder: Path) -> None:
    assert diagnosis.mend(Store(folder / "a.duckdb")) == []


def test_what_was_left_behind_and_what_cannot_be_read_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.duckdb.scratch").mkdir()
    for place in ("", "published"):
        (folder / place / ".heatmap.png.tmp-abc").mkdir(parents=True)
    monkeypatch.setattr("time.time", lambda: 4e9)
    missing, publishing = (Source(name="gone", path="no/such/*/*.csv"),), PublishSettings(path="published/p.duckdb")
    requested = config(folder).model_copy(update={"source": missing, "publish": publishing})
    found = list(diagnosis.examine(Store(folder / "a.duckdb"), requested, clock()))
    assert [one.check for one in found] == ["scratch", "unfinished", "unfinished", "sources"]
    assert f"{folder}/no/such" in found[-1].what


def test_a_file_that_no_run_reads_is_found(folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "readme.txt").write_text("no records")
    requested = config(folder).model_copy(update={"source": (Source(name="feed", path="in/*"),)})
    (found,) = diagnosis.examine(Store(folder / "a.duckdb"), requested, clock())
    assert found.what.startswith(f"{folder}/in/readme.txt: its suffix does not show what is in it")
    assert found.advice == "move it away, or correct the path that matches it; it makes runs fail"


def test_a_path_that_runs_refuse_is_found(folder: Path) -> None:
    requested = config(folder).model_copy(update={"source": (Source(name="feed", path="../*"),)})
    (found,) = diagnosis.examine(Store(folder / "a.duckdb"), requested, clock())
    assert found.what == "../*: a path with .. in it is refused; write it without"


def test_a_full_disk_is_foreseen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(folder)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert [(one.check, "1,000 bytes are free" in one.what) for one in findings(folder)] == [("disk", True)]


def test_many_findings_of_a_kind_are_cut(folder: Path) -> None:
    with tampered(folder) as shell:
        shell.execute("update alerts set state = 'lost'")
    found = findings(folder)
    assert (len(found), found[-1].what) == (11, "and more of them")


@pytest.mark.parametrize(
    ("place", "check", "words"),
    [(8, "file", "does not begin as a DuckDB file does"), (20, "file", "is damaged"), (5000, "file", "is damaged")],
)
def test_a_file_that_does_not_open_is_explained(folder: Path, place: int, check: str, words: str) -> None:
    content = bytearray((folder / "a.duckdb").read_bytes())
    for offset in (place, place + 4096):
        content[offset] ^= 0xFF
    (folder / "a.duckdb").write_bytes(content)
    (one,) = findings(folder)
    assert (one.check, words in one.what, "restore a backup" in one.advice) == (check, True, True)


def test_no_store_is_not_a_finding(tmp_path: Path) -> None:
    with pytest.raises(InputOutputError, match="there is no store yet"):
        findings(tmp_path)


def test_a_backup_is_a_store_that_is_well(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert backup.backup(Store(folder / "a.duckdb"), other / "a.duckdb") == (other / "a.duckdb").stat().st_size
    assert [path.name for path in other.iterdir()] == ["a.duckdb"]
    assert findings(other) == []
    assert alerts(other) == alerts(folder)
    with Store(other / "a.duckdb").write() as connection:
        assert connection.exec_driver_sql("select nextval('batch_ids')").scalar_one() == 3
        storage = "select tags['storage_version'] from duckdb_databases() where not internal"
        assert connection.exec_driver_sql(storage).scalar_one() == "v1.3.0+"


def test_a_backup_waits_its_turn_and_takes_the_place_of_the_last(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "it's a copy.duckdb"
    duckdb.connect(str(target)).close()
    yesterday = target.read_bytes()
    with Store(folder / "a.duckdb").write(), pytest.raises(StoreBusyError):
        backup.backup(Store(folder / "a.duckdb", 0), target)
    assert target.read_bytes() == yesterday
    backup.backup(Store(folder / "a.duckdb"), target)
    with duckdb.connect(str(target), read_only=True) as shell:
        assert shell.execute("select count(*) > 0 from incidents").fetchone() == (True,)


@pytest.mark.parametrize("name", ["a.duckdb", "../store/a.duckdb", "a.duckdb.wal", "a.duckdb.lock"])
def test_a_backup_never_takes_the_place_of_the_store(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is the store itself"):
        backup.backup(Store(folder / "a.duckdb"), folder / name)
    assert findings(folder) == []


def test_a_backup_takes_the_place_of_no_other_kind_of_file(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "config.toml"
    target.write_text("[store]\n")
    with pytest.raises(UsageError, match="is no DuckDB file"):
        backup.backup(Store(folder / "a.duckdb"), target)
    assert target.read_text() == "[store]\n"


def test_a_backup_that_cannot_be_written_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputOutputError, match="cannot be written"):
        backup.backup(Store(folder / "a.duckdb"), tmp_path / "nowhere" / "b.duckdb")
