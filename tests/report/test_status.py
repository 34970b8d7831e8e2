"""What `status` finds out of a store; tests/report/test_status_words.py has the words for it."""

import gzip
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streammetrics.config import Comparison, Config, DetectSettings, Source, load
from streammetrics.detect.passes import record_failure
from streammetrics.ingest.files import ingest
from streammetrics.report import status
from streammetrics.store.connection import Store
from tests.histories import NOW, history, loaded, regression
from tests.oracles.mean_rules import Record
from tests.rules import REFERENCE
from tests.streams import MONDAY

pytestmark = pytest.mark.slow

REFERENCES = Config(rule=REFERENCE)


def lines_of(store: Store, config: Config | None = None, now: datetime = NOW) -> dict[str, str]:
    """The lines by their names."""
    lines = status.render(status.collect(store, config or REFERENCES, now)).splitlines()
    assert len(lines) <= 12
    return {line[:10].rstrip(): line[11:] for line in lines}


@pytest.fixture(scope="module")
def regressed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return history(tmp_path_factory.mktemp("status") / "s.duckdb", regression())


def source(path: Path) -> Config:
    return Config(rule=REFERENCE, source=(Source(name="clients", path=str(path)),))


def test_whole_text_of_a_small_store(regressed: Store) -> None:
    text = status.render(status.collect(regressed, REFERENCES, NOW))
    size = f"{regressed.path.stat().st_size / 1e6:.1f} MB"
    assert text.splitlines() == [
        f"store      {regressed.path}, {size}",
        "history    2026-11-23 00:00:00 to 2026-11-23 00:19:59 UTC, 11 h ago",
        "records    3,001 in 1 batch, 0 rejected",
        "builds     1.9 < 1.10 (by version)",
        "last pass  2026-11-23 12:00:00: done, alerts: 132 new, 0 revised, 0 retracted",
        "open       difference: 1 incident: code -17 since 2026-11-23 00:10:00; "
        "ratio: 1 incident: code -17 since 2026-11-23 00:10:00",
        "judged     1.9 -> 1.10 up to 2026-11-23 00:19:59",
        "waiting    nothing",
    ]


def test_without_a_store_it_says_so_and_makes_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("12345")
    store = Store(tmp_path / "none" / "s.duckdb")
    assert lines_of(store, source(tmp_path / "*.csv")) == {
        "store": f"{tmp_path}/none/s.duckdb: there is no store yet; `streammetrics ingest` makes one",
        "waiting": "1 file, 5 bytes",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_store_without_records(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    with store.write():
        pass
    lines = lines_of(store)
    del lines["store"]
    assert lines == {
        "history": "no records yet",
        "records": "0 in 0 batches, 0 rejected",
        "builds": "none yet: a build counts once it has sent 20 records that span 30 s",
        "last pass": "none yet",
        "open": "no incidents",
        "judged": "nothing yet",
        "waiting": "nothing",
    }


def test_json_has_the_same(regressed: Store) -> None:
    text = status.as_json(status.collect(regressed, REFERENCES, NOW))
    assert "\n" not in text
    found = json.loads(text)
    assert found["now"] == "2026-11-23 12:00:00"
    assert found["contents"]["records"] == 3001
    assert found["contents"]["last_pass"]["finished_at"] == "2026-11-23 12:00:00"
    assert found["contents"]["open_incidents"][0] == {
        "rule": "difference", "code": "-17", "baseline": "1.9", "candidate": "1.10", "start_ts": "2026-11-23 00:10:00",
        "ratio": None, "ratio_low": None, "ratio_high": None, "exposure": None, "open": 1,
    }  # fmt: skip
    assert found["contents"]["comparisons"] == [
        {
            "baseline": "1.9", "candidate": "1.10", "judged_until": "2026-11-23 00:19:59", "is_displaced": False,
            "awaited": None,
            "behind_seconds": 0,
            "judged_seconds": 1199,
            "awaits_users": False,
        }
    ]  # fmt: skip


def both(seconds: range, *builds: str) -> list[Record]:
    return [Record(MONDAY + second, build, "7") for second in seconds for build in builds]


@pytest.mark.parametrize(
    ("late", "judged"),
    [
        (both(range(200, 209), "1.10"), "1.9 -> 1.10 up to 2026-11-23 00:03:19"),
        (both(range(200, 210), "1.10"), "1.9 -> 1.10 up to 2026-11-23 00:03:19, 1.9 is awaited (10 s behind)"),
        (both(range(200, 500), "1.9"), "1.9 -> 1.10 up to 2026-11-23 00:03:19, 1.10 is awaited (5 min behind)"),
    ],
)
def test_the_build_that_is_awaited_is_named(tmp_path: Path, late: list[Record], judged: str) -> None:
    store = history(tmp_path / "s.duckdb", both(range(200), "1.9", "1.10") + late)
    assert lines_of(store)["judged"] == judged


def test_of_a_file_that_grew_what_is_new_waits(tmp_path: Path) -> None:
    path, text = tmp_path / "a.csv", "ts,build,code\n2026-11-23T00:00:00,1.9,7\n"
    path.write_text(text)
    config = source(path)
    store = Store(tmp_path / "s.duckdb")
    with store.write() as connection:
        list(ingest(connection, config, (), None, lambda: NOW))
    assert lines_of(store, config)["waiting"] == "nothing"
    path.write_text(text + "2026-11-23T00:00:01,1.9,7\n")
    assert lines_of(store, config)["waiting"] == "1 file, 26 bytes"
    path.write_text("ts,build,code\n")
    assert lines_of(store, config)["waiting"] == "1 file, 14 bytes"


def test_a_quote_that_is_open_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('ts,build,code\n2026-11-23T00:00:00,1.9,7\n2026-11-23T00:00:01,"1.9,7\n2026-11-23T00:00:02,1.9,7\n')
    config = source(path)
    store = Store(tmp_path / "s.duckdb")
    now = datetime.now(UTC).replace(tzinfo=None)
    for _ in range(2):
        with store.write() as connection:
            (outcome,) = ingest(connection, config, (), None, lambda: now)
        assert (outcome.waiting_bytes, outcome.open_quote_line) == (53, 3)
        assert lines_of(store, config, now)["waiting"] == (
            f"1 file, 53 bytes; {path} waits from line 3 on, which opens a quote that is not closed yet"
        )
    with path.open("a") as stream:
        stream.write("2026-11-23T00:00:03,1.")
    assert "line 3" in lines_of(store, config, now)["waiting"]
    path.write_text(path.read_text().replace('"', ""))
    assert "quote" not in lines_of(store, config, now)["waiting"]


def test_in_bins_of_an_hour_half_an_hour_keeps_nobody_waiting(tmp_path: Path) -> None:
    config = Config(rule=(REFERENCE[1].model_copy(update={"bin_seconds": 3600}),))
    records = both(range(3700), "1.9", "1.10") + both(range(3700, 5600), "1.10")
    store = history(tmp_path / "s.duckdb", records, config)
    assert lines_of(store, config)["judged"] == "1.9 -> 1.10 up to 2026-11-23 01:01:39"


def test_open_incidents_are_whole_and_the_strongest_of_many(tmp_path: Path) -> None:
    start, more = both(range(1200), "1.9", "1.10"), range(600, 1200)
    surges = [Record(MONDAY + s, "1.10", f"E{n}") for s in more for n in range(5) for _ in range(n + 1)]
    resolved = [Record(MONDAY + s, "1.10", "gone") for s in range(100, 200)]
    store = history(
        tmp_path / "s.duckdb",
        [*start, *surges, *resolved],
        Config(rule=REFERENCE, detect=DetectSettings(merge_seconds=60, reopen_seconds=0)),
    )
    with store.read() as connection:
        stored = connection.exec_driver_sql(
            "select code, count(*) from incidents where rule = 'difference' and state = 'open' group by 1 order by 1"
        ).all()
    assert [tuple(row) for row in stored] == [(f"E{n}", 1) for n in range(5)]
    first, second = lines_of(store)["open"].split("; ")
    assert first == (
        "difference: 5 incidents: code E4 since 2026-11-23 00:10:00, code E3 since 2026-11-23 00:10:00, "
        "code E2 since 2026-11-23 00:10:00 and 2 more"
    )
    assert second.startswith("ratio: 5 incidents: code E0 since 2026-11-23 00:10:00, ")


def test_last_pass_and_last_failure(tmp_path: Path) -> None:
    store = loaded(tmp_path / "s.duckdb", both(range(60), "1.9"))
    with store.write() as connection:
        record_failure(connection, NOW, NOW + timedelta(seconds=1), "OSError: no\nspace\x1b[31m")
    failure = "2026-11-23 12:00:01: failed: OSError: no\\nspace\\x1b[31m"
    assert lines_of(store)["last pass"] == failure
    assert "failed" not in lines_of(store)
    with store.write() as connection:
        connection.exec_driver_sql(
            "insert into runs by name\n"
            "select * replace (run_id + 9 as run_id, 'done' as state, null as error) from runs where state = 'failed'"
        )
        connection.commit()
    assert lines_of(store)["last pass"] == "2026-11-23 12:00:01: done, alerts: 0 new, 0 revised, 0 retracted"
    assert lines_of(store)["failed"] == failure


def test_rejects_of_the_last_day_with_the_most_frequent_reason(tmp_path: Path) -> None:
    store = loaded(tmp_path / "s.duckdb", both(range(60), "1.9"))
    with store.write() as connection, connection.begin():
        connection.exec_driver_sql("update batches set rejected = 3, loaded_at = timestamp '2026-11-22 12:00:00'")
        connection.exec_driver_sql(
            "insert into rejects select 1, 's', '/a.csv', line, reason, ''\n"
            "from (values (1, 'code is missing'), (2, 'ts is no time: ''x'''), (3, 'ts is no time: ''y''')) "
            "as v (line, reason)"
        )
        connection.exec_driver_sql(
            "insert into batches by name select * replace (\n"
            "    2 as batch_id, 9 as rejected, loaded_at - interval 1 second as loaded_at, 1 as duplicate_of\n"
            ") from batches"
        )
        connection.exec_driver_sql(
            "insert into rejects select 2, 's', '/b.csv', i, 'line is too long', '' from range(9) r (i)"
        )
    assert lines_of(store)["rejects"] == "3 in the last day, the most frequent reason: ts is no time"
    assert lines_of(store)["records"] == "60 in 1 batch, 3 rejected"
    assert "rejects" not in lines_of(store, now=NOW + timedelta(seconds=1))


def test_files_wait_until_the_ledger_knows_them_as_they_lie_there(tmp_path: Path) -> None:
    store = loaded(tmp_path / "s.duckdb", both(range(60), "1.9"))
    folder = tmp_path / "in"
    folder.mkdir()
    for name, size in {
        "new.csv": 100,
        "known.csv": 20,
        "grown.csv": 30,
        "known.csv.gz": 7,
        "skip.tmp": 9,
        ".x.csv": 9,
    }.items():
        (folder / name).write_bytes(b"x" * size)
        os.utime(folder / name, ns=(5, 5))
    (folder / "pipe.csv").mkdir()
    os.mkfifo(folder / "fifo.csv")
    with store.write() as connection, connection.begin():
        for name, size in {"known.csv": 20, "grown.csv": 25, "known.csv.gz": 4000}.items():
            connection.exec_driver_sql(
                "insert into batches\n"
                "select 9, 's', ?, 0, ?, 'f', 5, 1, 0, min_ts, max_ts, loaded_at, null from batches limit 1",
                (str(folder / name), size),
            )
    refused = f"refused: {folder}/fifo.csv: is a pipe, socket or device; only regular files are read"
    assert lines_of(store, source(folder / "*"))["waiting"] == "2 files, 130 bytes"
    assert lines_of(store, source(folder / "*"))["to do"] == refused
    os.utime(folder / "known.csv", ns=(5, 6))
    assert lines_of(store, source(folder / "*"))["waiting"] == "3 files, 150 bytes"


def test_a_path_that_climbs_is_reported_as_refused(tmp_path: Path) -> None:
    store = loaded(tmp_path / "s.duckdb", both(range(60), "1.9"))
    (tmp_path / "a.csv").write_text("ts,build,code\n")
    climbing = tmp_path / "x" / ".." / "*.csv"
    config = Config(source=(Source(name="s", path=str(climbing)),))
    message = f"{climbing}: a path with .. in it is refused; write it without"
    assert lines_of(store, config)["to do"] == f"refused: {message}"


def test_how_far_databases_were_read(tmp_path: Path) -> None:
    store = loaded(tmp_path / "s.duckdb", both(range(60), "1.9"))
    with store.write() as connection, connection.begin():
        for batch_id, source, cursor, mark in ((1, "b", "id", "9"), (2, "b", "id", "10"), (3, "a", "ts", "x\x1b[31m")):
            row = (batch_id, source, cursor, "text", mark, mark, "")
            connection.exec_driver_sql("insert into cursor_marks values (?, ?, ?, ?, ?, ?, ?)", row)
    assert lines_of(store)["waiting"] == "nothing; a was read up to ts x\\x1b[31m; b was read up to id 10"


def steady(until: int, codes: int = 3) -> list[Record]:
    """The old build has been there for an hour; each code comes every fourth second from either build."""
    return [
        Record(MONDAY + second, build, f"E{code}")
        for build, first in (("1.9", -3600), ("1.10", 0))
        for code in range(codes)
        for second in range(first + code, until, 4)
    ]


def test_what_would_have_been_found_is_found(tmp_path: Path) -> None:
    """One of three codes is more frequent by that ratio from the first record on."""
    until = 1500
    config = Config()
    store = history(tmp_path / "a.duckdb", steady(until), config)
    with store.read() as connection:
        (reach,) = status.reaches(connection, status.comparisons(connection))
    (line,) = status.young_lines([reach])
    assert reach.rate_ratio == 2
    assert line.startswith("1.9 -> 1.10  judged for 24 min: an increase of a typical code by about x2 or more ")
    more = [Record(MONDAY + second, "1.10", "E1") for second in range(1, until, 4)]
    fired = history(tmp_path / "b.duckdb", [*steady(until), *more], config)
    assert lines_of(fired, config)["open"].startswith("regression: 1 incident: code E1 since ")


def test_reference_rules_and_old_comparisons_have_no_such_words(tmp_path: Path) -> None:
    store = history(tmp_path / "s.duckdb", steady(300))
    with store.read() as connection:
        young = status.comparisons(connection)
        assert status.reaches(connection, young) == []
        old = [replace(one, judged_seconds=86400) for one in young]
        assert status.reaches(connection, old) == []


def test_a_day_before_that_is_not_known_yet(tmp_path: Path) -> None:
    config = Config(comparison=(Comparison(baseline="earlier"),))
    store = history(tmp_path / "s.duckdb", steady(600), config)
    assert lines_of(store, config)["judged"] == "* a day earlier -> * not yet: its baseline begins in 22 h"


def test_files_that_need_a_person(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "bad.csv.gz").write_bytes(b"no gzip")
    path = tmp_path / "config.toml"
    path.write_text('[store]\npath = "s.duckdb"\n[[source]]\nname = "feed"\npath = "in/*"\n')
    config = load(path)
    for code in (7, 8):
        (folder / "a.csv").write_text(f"ts,build,code\n2026-11-23 10:00:00,5.9,{code}\n")
        with Store(config.store_path).write() as connection:
            list(ingest(connection, config, [], None, lambda: NOW))
    lines = lines_of(Store(config.store_path), config)
    assert lines["waiting"] == (
        f"nothing; 1 file replaced in the last day, perhaps before all was read, such as {folder}/a.csv rewritten"
    )
    assert lines["to do"].startswith(f"refused: {folder}/bad.csv.gz: is damaged or not a whole gzip file")
    (folder / "bad.csv.gz").unlink()
    assert "to do" not in lines_of(Store(config.store_path), config)


def test_files_that_are_not_read_are_reported_while_they_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "readme.txt").write_text("no records")
    (folder / "de.csv").write_text("ts,build,code\n23.11.2026 10:00:00,5.9,7\n")
    # One record counts, and what comes later does not: that is reported as rejects.
    (folder / "mixed.csv").write_text("ts,build,code\n2026-11-23 10:00:00,5.9,7\n")
    path = tmp_path / "config.toml"
    path.write_text('[store]\npath = "s.duckdb"\n[[source]]\nname = "feed"\npath = "in/*"\n')
    config = load(path)
    for _ in range(2):
        with Store(config.store_path).write() as connection:
            list(ingest(connection, config, [], None, lambda: NOW))
        with (folder / "mixed.csv").open("a") as stream:
            stream.write("23.11.2026 10:00:01,5.9,7\n")
    with Store(config.store_path).write() as connection:
        list(ingest(connection, config, [], None, lambda: NOW))
    found = status.collect(Store(config.store_path), config, NOW)
    *_, waiting, first, second = status.render(found).splitlines()
    assert waiting == "waiting    nothing"
    assert first.startswith(f"to do      refused: {folder}/de.csv: no record was accepted: 1 rejected; line 2: ")
    assert second.startswith(f"to do      refused: {folder}/readme.txt: its suffix does not show what is in it; ")
    for name in ("readme.txt", "de.csv"):
        (folder / name).unlink()
    assert "to do" not in lines_of(Store(config.store_path), config)


def test_a_source_that_no_file_matches_is_reported_but_for_an_empty_spool(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "config.toml"
    path.write_text(
        '[store]\npath = "s.duckdb"\n[[source]]\nname = "a"\npath = "lgos/*.csv"\n'
        '[[source]]\nname = "b"\npath = "logs/*.csv"\nafter = "delete"\n'
    )
    config = load(path)
    store = Store(config.store_path)
    assert lines_of(store, config)["to do"] == f"[[source]] 'a': no file matches {tmp_path}/lgos/*.csv"
    (tmp_path / "lgos").mkdir()
    (tmp_path / "lgos" / "a.csv").write_text("ts,build,code\n")
    assert "to do" not in lines_of(store, config)


def test_a_damaged_file_that_came_anew_needs_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    config = load(None)
    store = Store(tmp_path / "s.duckdb")
    for content in (b"no gzip", gzip.compress(b"ts,build,code\n2026-11-23 10:00:00,5.9,7\n")):
        path.write_bytes(content)
        with store.write() as connection:
            list(ingest(connection, config, [path], None, lambda: NOW))
        if content == b"no gzip":
            assert f"refused: {path}: is damaged" in lines_of(store)["to do"]
    assert "to do" not in lines_of(store)


def test_what_the_setting_promises_and_how_exposure_is_known(tmp_path: Path) -> None:
    config = Config()
    store = history(tmp_path / "s.duckdb", both(range(1200), "1.9", "1.10"), config)
    lines = lines_of(store, config)
    assert lines["open"] == "no incidents (regression, 1 code: at most one false incident in 1,000 days)"
    young = " (judged for 19 min: an increase of a typical code by about x2 or more would have been found)"
    assert lines["judged"] == f"1.9 -> 1.10 up to 2026-11-23 00:19:59{young}, equal exposure assumed"


def test_an_estimate_that_rises_may_be_traffic(tmp_path: Path) -> None:
    config = Config(comparison=(Comparison(exposure="estimated"),))
    hours = both(range(0, 4 * 3600, 10), "1.9", "1.10") + both(range(3 * 3600, 4 * 3600, 10), "1.10")
    store = history(tmp_path / "s.duckdb", hours, config)
    assert lines_of(store, config)["judged"].endswith(
        "candidate has about 0.663 of the exposure, estimated: traffic or regression: it was 0.5 3 hours ago"
    )
