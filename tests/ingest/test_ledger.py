"""Nothing is counted twice, whatever its name; and a file is one transaction."""

import gzip
import hashlib
import os
from pathlib import Path

import duckdb
import pytest
import zstandard
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics import versions
from streammetrics.errors import InputOutputError
from streammetrics.ingest import FileOutcome
from streammetrics.sources import content, load, unpack
from tests.ingest.feeding import TABLES, THREE, THREE_EVENTS, Shop

MORE = b"2026-11-23 11:00:00,5.10,7\n"


def states(found: list[FileOutcome]) -> list[tuple[str, str, str]]:
    return [(outcome.path.name, outcome.state, outcome.message) for outcome in found]


def test_a_known_file_is_not_opened(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "b.csv.gz", "c.csv.zst"):
        shop.write(name, THREE + name.encode() + b",1,2\n")
    shop.feed()

    def refuse(*_: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(unpack, "unpack", refuse)
    assert states(shop.feed()) == [("a.csv", "skipped", ""), ("b.csv.gz", "skipped", ""), ("c.csv.zst", "skipped", "")]
    assert len(shop.rows("select * from batches")) == 3


def test_the_same_content_counts_once_under_whatever_name(shop: Shop) -> None:
    first = shop.write("a.csv", THREE)
    shop.feed()
    shop.write("b.csv", THREE)
    shop.write("c.csv.gz", THREE)
    shop.write("d.csv.zst", THREE)
    (shop.folder / "e.csv").symlink_to(first)
    told = f"same content as {first}, which was loaded; nothing was counted again"
    assert states(shop.feed())[1:] == [
        (name, "skipped", f"{shop.folder / name}: {told}") for name in ("b.csv", "c.csv.gz", "d.csv.zst", "e.csv")
    ]
    assert states(shop.feed())[1:] == [(name, "skipped", "") for name in ("b.csv", "c.csv.gz", "d.csv.zst", "e.csv")]
    assert shop.events() == THREE_EVENTS
    assert shop.rows("select records, rejected, duplicate_of is null from batches order by batch_id") == [
        (3, 0, True),
        *[(0, 0, False)] * 4,
    ]


def test_a_renamed_file_counts_once(shop: Shop) -> None:
    path = shop.write("a.csv", THREE)
    shop.feed()
    path.rename(shop.folder / "b.csv")
    assert shop.feed()[0].state == "skipped"
    assert shop.events() == THREE_EVENTS


def test_a_file_that_was_touched_counts_once(shop: Shop) -> None:
    path = shop.write("a.csv", THREE)
    shop.feed()
    os.utime(path, ns=(1, 1))
    assert states(shop.feed()) == [
        ("a.csv", "skipped", f"{path}: has the content that was loaded already; nothing was counted again")
    ]
    assert states(shop.feed()) == [("a.csv", "skipped", "")]
    assert shop.events() == THREE_EVENTS


def test_two_equal_files_at_once(shop: Shop) -> None:
    shop.write("a.csv", THREE)
    shop.write("b.csv", THREE)
    assert [outcome.state for outcome in shop.feed()] == ["loaded", "skipped"]


def test_equal_files_can_be_different_data(shop: Shop) -> None:
    path = shop.write("a.csv", THREE)
    shop.write("b.csv.gz", THREE)
    assert [outcome.records for outcome in shop.feed(same_content="load")] == [3, 3]
    os.utime(path, ns=(1, 1))
    assert [outcome.state for outcome in shop.feed(same_content="load")] == ["skipped", "skipped"]
    assert len(shop.events()) == 6


def test_what_was_skipped_is_loaded_once_equal_files_are_different_data(shop: Shop) -> None:
    shop.write("a.csv", THREE)
    path = shop.write("b.csv", THREE)
    shop.feed()
    os.utime(path, ns=(1, 1))
    assert [outcome.state for outcome in shop.feed(same_content="load")] == ["skipped", "loaded"]
    assert len(shop.events()) == 6


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst"])
def test_a_file_that_has_grown_is_refused(shop: Shop, name: str) -> None:
    path = shop.write(name, THREE)
    shop.feed()
    shop.write(name, THREE + MORE)
    for _ in range(2):
        (outcome,) = shop.feed()
        assert isinstance(outcome.error, InputOutputError)
        assert outcome.message == (
            f"{path}: has grown from {len(THREE)} to {len(THREE + MORE)} bytes since it was loaded; "
            "nothing was counted again: put the new records, and them alone, into a file of their own"
        )
    assert shop.events() == THREE_EVENTS


def test_a_member_that_was_appended_is_growth(shop: Shop) -> None:
    path = shop.write("a.csv.gz", THREE)
    shop.feed()
    path.write_bytes(path.read_bytes() + gzip.compress(MORE))
    assert shop.feed()[0].state == "failed"
    other = shop.write("b.csv.zst", THREE + b"\n")
    shop.feed()
    other.write_bytes(other.read_bytes() + zstandard.compress(MORE))
    assert shop.feed()[1].state == "failed"


def test_a_file_that_grew_after_it_was_a_duplicate_is_refused(shop: Shop) -> None:
    shop.write("a.csv", THREE)
    shop.write("b.csv", THREE)
    shop.feed()
    shop.write("b.csv", THREE + MORE)
    assert [outcome.state for outcome in shop.feed()] == ["skipped", "failed"]
    assert shop.events() == THREE_EVENTS


def test_other_content_under_a_known_name_is_new(shop: Shop) -> None:
    path = shop.write("a.csv", THREE)
    assert states(shop.feed()) == [("a.csv", "loaded", "")]
    shop.write("a.csv", THREE.replace(b"10:", b"09:") + MORE)
    told = f"{path}: was loaded before with other content; what it holds now was counted as new records"
    (outcome,) = shop.feed()
    assert (outcome.state, outcome.records, outcome.message) == ("loaded", 4, told)
    shop.write("a.csv", THREE)
    assert [outcome.state for outcome in shop.feed()] == ["skipped"]
    assert len(shop.events()) == 7


def test_the_same_size_and_time_is_enough_only_together(shop: Shop) -> None:
    path = shop.write("a.csv", THREE)
    found = path.stat()
    shop.feed()
    path.write_bytes(THREE.replace(b"10:", b"09:") + b"\n")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert shop.feed()[0].state == "loaded"


def test_a_file_that_changes_while_it_is_read_loads_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shop.write("a.csv", THREE)
    examine = content.examine

    def meanwhile(where: Path) -> content.Content:
        found = examine(where)
        with path.open("ab") as stream:
            stream.write(MORE)
        return found

    monkeypatch.setattr(content, "examine", meanwhile)
    (outcome,) = shop.feed()
    assert outcome.message == f"{path}: was written to while it was read; nothing of it was loaded"
    assert all(shop.rows(f"select count(*) from {table}") == [(0,)] for table in TABLES)
    monkeypatch.undo()
    assert shop.feed()[0].records == 4


@pytest.mark.parametrize("text", [THREE, THREE.replace(b"\n", b"\r") + b"x,5.9,7"], ids=["quick", "careful"])
def test_a_failure_leaves_nothing(shop: Shop, text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write("a.csv", text)

    def fail(connection: Connection, batch_id: int) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(versions, "update_builds", fail)
    (outcome,) = shop.feed()
    assert (outcome.state, outcome.message.split(": ")[-1]) == ("failed", "No space left on device")
    assert all(shop.rows(f"select count(*) from {table}") == [(0,)] for table in TABLES)
    assert not (shop.folder / "store" / "x.duckdb.scratch").exists()
    monkeypatch.undo()
    assert shop.feed()[0].records == 3


@pytest.mark.parametrize("text", [THREE, THREE.replace(b"\n", b"\r")], ids=["quick", "careful"])
def test_a_store_that_failed_ends_the_run(shop: Shop, text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write("a.csv", text)
    shop.write("b.csv", THREE + b"\n")

    def fail(*_: object) -> None:
        raise DBAPIError("insert", {}, duckdb.FatalException("the disk is full"))

    monkeypatch.setattr(load, "count", fail)
    with pytest.raises(InputOutputError, match=r"store/x\.duckdb: the store failed: the disk is full$"):
        shop.feed()


def test_what_a_killed_run_left_is_cleared_away(shop: Shop) -> None:
    left = shop.folder / "store" / "x.duckdb.scratch"
    left.mkdir(parents=True)
    (left / "content").write_bytes(b"ts,build,code\n")
    shop.write("a.csv.gz", THREE)
    assert shop.feed(shop.folder / "a.csv.gz")[0].records == 3
    assert not left.exists()


def test_content_is_looked_at_across_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What decides between the readers is found wherever the portions of a file end."""
    plain = [b"a,b\r\nc,d\r\n", b"a,b\nc,d\n", b'"a",b\n', b"\xc3\xa9\n", b"", b"abc", b'a ,"b"\n', b" "]
    odd = [b"a\rb\r", b"a\r\nb\n", b"a\nb\r\n", b"a\nb\r", b"a\r\r\n", b"a\0\n", b'a, "b"\n', b'"a" ,b\n', b"ab\r"]
    path = tmp_path / "x"
    for size in (1, 2, 3, 1 << 20):
        monkeypatch.setattr(content, "_PORTION", size)
        for is_plain, texts in ((True, plain), (False, odd)):
            for text in texts:
                path.write_bytes(text)
                found = content.examine(path)
                assert (text, found.is_plain, found.size) == (text, is_plain, len(text))
        path.write_bytes(THREE)
        expected = {size: hashlib.sha256(THREE[:size]).hexdigest() for size in (0, 3, 20, len(THREE))}
        assert content.prefix_fingerprints(path, list(expected)) == expected
        assert content.examine(path).fingerprint == expected[len(THREE)]
