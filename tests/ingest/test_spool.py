"""Folders of many small files: several to a transaction, and away with each once all of it is committed."""

import os
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.errors import InputOutputError
from streammetrics.ingest import files as ingests
from streammetrics.ingest.loading import Loader
from streammetrics.ingest.outcome import FileOutcome
from streammetrics.sources import disposal
from streammetrics.sources.tail import Opened
from streammetrics.store import builds
from tests.ingest.feeding import THREE, THREE_EVENTS, Shop

HEAD = b"ts,build,code\n"


def numbered(shop: Shop, files: int) -> list[Path]:
    return [shop.write(f"{n:03}.csv", HEAD + b"2026-11-23 10:00:00,5.9,E%d\n" % n) for n in range(files)]


def loaded(found: list[FileOutcome]) -> list[tuple[str, int]]:
    return [(outcome.path.name, outcome.records) for outcome in found if outcome.state == "loaded"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_each_of_several_has_its_own_row(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingests, "TOGETHER_FILES", 4)
    paths = numbered(shop, 10)
    shop.write("004.csv", HEAD + b"x,5.9,7\n2026-11-23 10:00:01,5.9,7\n\n2026-11-23 10:00:00,,7\n")
    assert loaded(shop.feed()) == [(path.name, 1) for path in paths]
    rows = shop.rows("select path, records, rejected, min_ts::text from batches order by batch_id")
    seconds = ["2026-11-23 10:00:00"] * 10
    seconds[4] = "2026-11-23 10:00:01"
    assert rows == [(str(path), 1, 2 * (n == 4), seconds[n]) for n, path in enumerate(paths)]
    assert shop.rows("select path, line, reason from rejects order by line") == [
        (str(paths[4]), 2, "time cannot be read"),
        (str(paths[4]), 5, "has no build"),
    ]
    per_batch = "select batch_id, count(*) from events group by all order by all"
    assert shop.rows(per_batch) == shop.rows("select batch_id, sum(errors) from counters group by all order by all")
    assert len(shop.rows(per_batch)) == 10


def test_there_may_be_more_of_them_than_can_be_open(shop: Shop) -> None:
    numbered(shop, 300)
    shop.write("packed.csv.gz", THREE)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        assert len(loaded(shop.feed())) == 301
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert shop.rows("select count(*), count(distinct batch_id) from events") == [(303, 301)]


@pytest.mark.slow
def test_large_ones_once_unpacked_end_a_transaction(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the room that they take on disk would have no bound."""
    for number in range(10):
        shop.write(f"{number}.csv.gz", HEAD + b"2026-11-23 10:00:00,5.9,%d\n" % number * 80_000)
    unpacked, load = [], Loader._load

    def looked(loader: Loader, opened: Sequence[Opened]) -> Iterator[FileOutcome]:
        unpacked.append(len(opened))
        return load(loader, opened)

    monkeypatch.setattr(Loader, "_load", looked)
    assert len(loaded(shop.feed())) == 10
    assert max(unpacked) < 10


def test_files_that_begin_alike_are_read_each_by_its_own_times(shop: Shop) -> None:
    """Columns are looked for once, as the header is the same; what times are like differs."""
    times = ("2026-11-23 10:00:00", "2026-11-23T10:00:00Z", "2026-11-23 10:00:00.25", "1795428000", "23.11.2026", "")
    for number, time in enumerate(times):
        shop.write(f"{number}.csv", HEAD + f"{time},5.9,E{number}\n2026-11-23 10:00:01,5.9,{number}\n".encode())
    shop.write("swapped.csv", b"code,ts,build\nE9,2026-11-23 10:00:00,5.9\n")
    shop.write("headers.csv", HEAD + b"2026-11-23 10:00:02,5.9,E8\ncode,ts,build\nE7,2026-11-23 10:00:02,5.9\n")
    shop.feed()
    moments = {code: ts for ts, _, code in shop.events()}
    assert moments == {
        "E0": "2026-11-23 10:00:00",
        "E1": "2026-11-23 10:00:00",
        "E2": "2026-11-23 10:00:00.250000",
        "E3": "2026-11-23 10:00:00",
        "E7": "2026-11-23 10:00:02",
        "E8": "2026-11-23 10:00:02",
        "E9": "2026-11-23 10:00:00",
        **{str(number): "2026-11-23 10:00:01" for number in range(len(times))},
    }
    assert [(path[-5:], line) for path, line in shop.rows("select path, line from rejects order by all")] == [
        ("4.csv", 2),
        ("5.csv", 2),
        ("s.csv", 3),
    ]


def test_of_files_that_begin_alike_one_lacks_its_date(shop: Shop) -> None:
    for name, code in (("2026-11-23.csv", b"7"), ("undated.csv", b"8")):
        shop.write(name, HEAD + b"10:00:00,5.9," + code + b"\n")
    found = shop.feed(date="name")
    assert loaded(found) == [("2026-11-23.csv", 1)]
    assert [outcome.path.name for outcome in found if outcome.error] == ["undated.csv"]


def test_a_bad_one_fails_alone(shop: Shop) -> None:
    numbered(shop, 5)
    shop.write("002.csv", b"no,such,columns\n1,2,3\n")
    (shop.folder / "003.csv.gz").write_bytes(b"no gzip")
    shop.write("bad.csv.gz", THREE)
    found = shop.feed()
    assert [name for name, _ in loaded(found)] == ["000.csv", "001.csv", "003.csv", "004.csv", "bad.csv.gz"]
    assert sorted(outcome.path.name for outcome in found if outcome.error) == ["002.csv", "003.csv.gz"]


def test_what_the_database_refuses_of_several_it_refuses_of_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = numbered(shop, 5)
    update = builds.update

    def refuse(connection: Connection, batch_id: int) -> bool:
        bad = connection.exec_driver_sql("select count(*) from events where batch_id >= ? and code = 'E3'", (batch_id,))
        if bad.scalar_one():
            raise DBAPIError("update", {}, ValueError("not this one"))
        return update(connection, batch_id)

    monkeypatch.setattr(builds, "update", refuse)
    found = shop.feed()
    assert [name for name, _ in loaded(found)] == ["000.csv", "001.csv", "002.csv", "004.csv"]
    assert [outcome.message for outcome in found if outcome.error] == [f"{paths[3]}: cannot be loaded: not this one"]
    assert [code for _, _, code in shop.events()] == ["E0", "E1", "E2", "E4"]


def test_equal_files_in_one_transaction_count_once(shop: Shop) -> None:
    for name in ("a.csv", "b.csv", "c.csv.gz"):
        shop.write(name, THREE)
    assert [outcome.state for outcome in shop.feed()] == ["loaded", "skipped", "skipped"]
    assert shop.events() == THREE_EVENTS


def test_files_are_moved_once_they_are_committed(shop: Shop) -> None:
    numbered(shop, 3)
    shop.write("waits.csv", THREE + b"2026-11-23 10:00:02,5.9,4")
    shop.write("rejects.csv", HEAD + b"x,5.9,7\n")
    (shop.folder / "damaged.csv.gz").write_bytes(b"no gzip")
    done = shop.folder / "done"
    done.mkdir()
    (done / "001.csv").write_bytes(b"older")
    move: dict[str, Any] = {"after": "move", "move_to": str(done)}
    shop.feed(**move)
    assert names(shop.folder) == ["damaged.csv.gz", "rejects.csv", "waits.csv"]
    assert names(done) == ["000.csv", "001.2.csv", "001.csv", "002.csv"]
    assert (done / "001.csv").read_bytes() == b"older"
    with (shop.folder / "waits.csv").open("ab") as stream:
        stream.write(b"04\n")
    shop.feed(**move)
    assert names(shop.folder) == ["damaged.csv.gz", "rejects.csv"]
    assert len(shop.events()) == 3 + 4


def test_files_are_deleted_once_they_are_committed(shop: Shop) -> None:
    paths = numbered(shop, 3)
    shop.write("copy.csv", paths[0].read_bytes())
    shop.feed(paths[1], after="delete")
    assert len(names(shop.folder)) == 4, "a file that somebody named stays"
    (shop.folder / "empty.csv").touch()
    for _ in range(2):
        shop.feed(after="delete")
        assert names(shop.folder) == ["empty.csv"]
    assert [code for _, _, code in shop.events()] == ["E0", "E1", "E2"]


@pytest.mark.parametrize("settings", [{"after": "move", "move_to": "done"}, {"after": "delete"}])
def test_a_run_that_ends_between_the_commit_and_the_move(
    shop: Shop, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered(shop, 3)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    if "move_to" in settings:
        settings = {**settings, "move_to": str(shop.folder / "done")}
    monkeypatch.setattr(disposal, "dispose", die)
    with pytest.raises(KeyboardInterrupt):
        shop.feed(**settings)
    assert len(names(shop.folder)) == 3
    monkeypatch.undo()
    shop.feed(**settings)
    assert names(shop.folder) == []
    assert [code for _, _, code in shop.events()] == ["E0", "E1", "E2"]


def test_what_was_written_meanwhile_is_not_thrown_away(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = numbered(shop, 1)
    dispose = disposal.dispose

    def later(*arguments: Any) -> None:
        with path.open("ab") as stream:
            stream.write(b"2026-11-23 10:00:00,5.9,E1\n")
        dispose(*arguments)

    monkeypatch.setattr(disposal, "dispose", later)
    shop.feed(after="delete")
    monkeypatch.undo()
    shop.feed(after="delete")
    assert names(shop.folder) == []
    assert [code for _, _, code in shop.events()] == ["E0", "E1"]


def test_what_cannot_be_moved_is_reported_and_counted_once(shop: Shop) -> None:
    (path,) = numbered(shop, 1)
    (shop.folder / "taken").write_bytes(b"")
    for _ in range(2):
        (outcome,) = shop.feed(path=str(path), after="move", move_to=str(shop.folder / "taken"))
        assert isinstance(outcome.error, InputOutputError)
        assert outcome.message.startswith(f"{path}: was loaded, but cannot be moved: ")
    assert [code for _, _, code in shop.events()] == ["E0"]


def test_a_folder_on_another_disk(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = numbered(shop, 1)
    content, rename = path.read_bytes(), Path.rename

    def refuse(source: Path, target: Path) -> Path:
        if source.parent != target.parent:
            raise OSError(18, os.strerror(18))
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", refuse)
    shop.feed(after="move", move_to=str(shop.folder / "done"))
    assert names(shop.folder) == []
    assert (shop.folder / "done" / "000.csv").read_bytes() == content
    assert len(list((shop.folder / "done").iterdir())) == 1
