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

from streammetrics.errors import InputOutputError
from streammetrics.ingest import base_tables, loading
from streammetrics.ingest.batch import Batch
from streammetrics.ingest.outcome import FileOutcome
from streammetrics.sources import encoding, ledger, unpack
from streammetrics.sources.reader import Reader
from streammetrics.sources.tail import Tail
from streammetrics.store import builds
from tests.ingest.feeding import TABLES, THREE, THREE_EVENTS, Shop

HEAD = THREE[: THREE.index(b"\n") + 1]
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
    message = f"same content as {first}, which was loaded; nothing was counted again"
    assert states(shop.feed())[1:] == [
        (name, "skipped", f"{shop.folder / name}: {message}") for name in ("b.csv", "c.csv.gz", "d.csv.zst")
    ]
    assert states(shop.feed())[1:] == [(name, "skipped", "") for name in ("b.csv", "c.csv.gz", "d.csv.zst")]
    assert shop.events() == THREE_EVENTS
    assert shop.rows("select records, rejected, duplicate_of is null from batches order by batch_id") == [
        (3, 0, True),
        *[(0, 0, False)] * 3,
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
def test_of_a_file_that_has_grown_the_new_lines_count(shop: Shop, name: str) -> None:
    path = shop.write(name, THREE)
    shop.feed()
    shop.write(name, THREE + MORE)
    assert states(shop.feed()) == [(name, "loaded", "")]
    assert states(shop.feed()) == [(name, "skipped", "")]
    assert [code for _, _, code in shop.events()] == ["404", "-17", "E_X", "7"]
    assert shop.rows("select path, range_start, range_end, records from batches order by batch_id") == [
        (str(path), 0, len(THREE), 3),
        (str(path), len(THREE), len(THREE + MORE), 1),
    ]


def test_a_member_that_was_appended_is_growth(shop: Shop) -> None:
    path = shop.write("a.csv.gz", THREE)
    shop.feed()
    path.write_bytes(path.read_bytes() + gzip.compress(MORE))
    assert shop.feed()[0].records == 1
    other = shop.write("b.csv.zst", THREE + b"\n")
    shop.feed()
    other.write_bytes(other.read_bytes() + zstandard.compress(MORE + MORE))
    assert shop.feed()[1].records == 2


def test_a_file_that_grew_after_it_was_a_duplicate(shop: Shop) -> None:
    shop.write("a.csv", THREE)
    shop.write("b.csv", THREE)
    shop.feed()
    shop.write("b.csv", THREE + MORE)
    assert [outcome.records for outcome in shop.feed()] == [0, 1]
    assert len(shop.events()) == 4


def test_other_content_under_a_known_name_is_new(shop: Shop) -> None:
    path = shop.write("a.csv", THREE)
    assert states(shop.feed()) == [("a.csv", "loaded", "")]
    shop.write("a.csv", THREE.replace(b"10:", b"09:") + MORE)
    message = (
        f"{path}: was rewritten: its present content counts as new records, and what was added to its former content "
        f"after byte {len(THREE)}, if anything, was not read (let the source's path match rotated files too)"
    )
    found = shop.feed()
    assert [(outcome.state, outcome.records, outcome.message) for outcome in found] == [
        ("loaded", 4, ""),
        ("replaced", 0, message),
    ]
    assert shop.rows("select path, read_bytes, state, found_as from replaced") == [
        (str(path), len(THREE), "rewritten", None)
    ]
    # The former content comes back, and all of it was counted.
    shop.write("a.csv", THREE)
    assert shop.feed()[0].state == "skipped"
    assert len(shop.events()) == 7


def test_a_content_that_a_header_replaced_is_reported_though_headers_are_alike(shop: Shop) -> None:
    """Of two files that were rotated twice without a record: neither is the other one, moved."""
    header = THREE[: THREE.index(b"\n") + 1]
    shop.write("b.csv", THREE)
    shop.feed()
    shop.write("a.csv", header)
    shop.write("b.csv", header)
    assert [outcome.state for outcome in shop.feed()] == ["loaded", "skipped", "replaced"]
    assert shop.rows("select path, state from replaced") == [(str(shop.folder / "b.csv"), "truncated")]


def test_a_rotation_that_makes_the_new_file_after_a_run_has_lost_nothing(shop: Shop) -> None:
    log = shop.write("app.log", THREE)
    shop.feed(format="csv")
    rotated = log.rename(shop.folder / "app.log.1")
    assert [outcome.state for outcome in shop.feed(format="csv")] == ["skipped"]
    shop.write("app.log", THREE.replace(b"10:", b"11:"))
    assert [outcome.state for outcome in shop.feed(format="csv")] == ["skipped", "loaded"]
    assert shop.rows("select count(*) from replaced") == [(0,)]
    # Of a copy nobody knows whether all was in it.
    (shop.folder / "copy.log").write_bytes(log.read_bytes())
    shop.feed(format="csv")
    shop.write("app.log", THREE.replace(b"10:", b"12:"))
    assert "replaced" in [outcome.state for outcome in shop.feed(format="csv")]
    assert rotated.exists()


def test_a_file_that_was_renamed_before_it_lay_here_is_missed_when_it_is_gone(shop: Shop) -> None:
    rotated = shop.write("app.log", THREE)
    shop.feed(format="csv")
    for name in ("app.log.1", "app.log.2"):
        rotated = rotated.rename(shop.folder / name)
        assert [outcome.state for outcome in shop.feed(format="csv")] == ["skipped"]
    rotated.write_bytes(THREE.replace(b"10:", b"11:"))
    assert [outcome.state for outcome in shop.feed(format="csv")] == ["loaded", "replaced"]
    assert shop.rows("select path, found_as from replaced") == [(str(rotated), None)]


def test_a_file_that_grew_before_it_was_renamed_has_lost_nothing(shop: Shop) -> None:
    log = shop.write("app.log", THREE)
    shop.feed(format="csv")
    with log.open("ab") as stream:
        stream.write(MORE)
    log.rename(shop.folder / "app.log.1")
    assert [outcome.state for outcome in shop.feed(format="csv")] == ["loaded"]
    shop.write("app.log", THREE.replace(b"10:", b"11:"))
    assert [outcome.state for outcome in shop.feed(format="csv")] == ["skipped", "loaded"]
    assert shop.rows("select count(*) from replaced") == [(0,)]


def test_that_another_file_with_the_same_content_was_renamed_is_no_sign_of_this_one(shop: Shop) -> None:
    log, copy = shop.write("app.log", THREE), shop.write("copy.log", THREE)
    shop.feed(format="csv")
    log.rename(shop.folder / "app.log.1")
    shop.feed(format="csv")
    copy.write_bytes(THREE.replace(b"10:", b"11:"))
    assert "replaced" in [outcome.state for outcome in shop.feed(format="csv")]
    assert shop.rows("select path, found_as from replaced") == [(str(copy), None)]
    # The copy itself: what it held lies beside it.
    copy.rename(shop.folder / "copy.log.1")
    shop.feed(format="csv")
    shop.write("copy.log", THREE.replace(b"10:", b"12:"))
    shop.feed(format="csv")
    assert shop.rows("select path, found_as from replaced") == [(str(copy), None)]


def test_a_file_that_came_back_and_was_written_anew_is_missed(shop: Shop) -> None:
    log = shop.write("app.log", THREE)
    shop.feed(format="csv")
    rotated = log.rename(shop.folder / "app.log.1")
    shop.feed(format="csv")
    rotated.rename(log)
    shop.feed(format="csv")
    log.write_bytes(THREE.replace(b"10:", b"11:"))
    assert "replaced" in [outcome.state for outcome in shop.feed(format="csv")]
    assert shop.rows("select path, found_as from replaced") == [(str(log), None)]


def test_where_a_known_content_lies_is_known_though_its_last_line_waits(shop: Shop) -> None:
    log = shop.write("app.log", THREE + b"2026-")
    shop.feed(format="csv")
    rotated = log.rename(shop.folder / "app.log.1")
    for _ in range(2):
        assert [outcome.waiting_bytes for outcome in shop.feed(format="csv")] == [5]
    assert shop.rows("select count(*) from batches") == [(2,)]
    rotated.write_bytes(THREE.replace(b"10:", b"11:"))
    assert "replaced" in [outcome.state for outcome in shop.feed(format="csv")]


def test_what_a_store_of_schema_version_2_knows(shop: Shop) -> None:
    """It has fingerprints of whole contents alone."""
    path, longer = shop.write("a.csv", THREE), shop.write("b.csv", THREE.replace(b"10:", b"09:") * 2)
    shop.feed()
    with shop.connection.begin():
        shop.connection.exec_driver_sql("delete from contents")
    assert states(shop.feed()) == [("a.csv", "skipped", ""), ("b.csv", "skipped", "")]
    shop.write("c.csv", THREE)
    with path.open("ab") as stream:
        stream.write(MORE)
    longer.write_bytes(b"")
    found = {(outcome.path.name, outcome.records) for outcome in shop.feed()}
    assert found == {("a.csv", 1), ("b.csv", 0), ("c.csv", 0)}
    assert len(shop.events()) == 3 + 6 + 1
    assert shop.rows("select path, state from replaced") == [(str(longer), "truncated")]


def test_the_longest_beginning_counts_however_many_are_known(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "NEAREST", 2)
    lines = [f"2026-11-23 10:00:{second:02},5.10,E{second}\n".encode() for second in range(40)]
    for end in (1, 3, 10, 12, 14, 20, 22, 24):
        shop.write("a.csv", HEAD + b"".join(lines[:end]))
        shop.feed()
    for end in (3, 12, 13, 22):
        shop.write(f"{end}.csv", HEAD + b"".join(lines[:end]))
    assert sorted((outcome.path.name, outcome.records) for outcome in shop.feed()) == [
        *(("12.csv", 0), ("13.csv", 1), ("22.csv", 0), ("3.csv", 0), ("a.csv", 0))
    ]


def test_the_same_size_and_time_is_enough_only_together(shop: Shop) -> None:
    path = shop.write("a.csv", THREE)
    found = path.stat()
    shop.feed()
    path.write_bytes(THREE.replace(b"10:", b"09:") + b"\n")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert shop.feed()[0].state == "loaded"


def test_of_a_file_that_grows_while_it_is_read_a_snapshot_is_taken(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large one, which DuckDB reads to whatever end it has by then: once more, from a copy."""
    path = shop.write("a.csv", THREE)
    monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    insert_large, sizes = base_tables.insert_large, []

    def meanwhile(connection: Connection, reader: Reader, batch: Batch) -> int:
        with path.open("ab") as stream:
            stream.write(MORE[:-1])
        try:
            return insert_large(connection, reader, batch)
        finally:
            sizes.append(connection.exec_driver_sql("select count(*) from events").scalar_one())

    monkeypatch.setattr(base_tables, "insert_large", meanwhile)
    (outcome,) = shop.feed()
    assert (outcome.state, outcome.records, sizes) == ("loaded", 3, [4, 3])
    assert shop.events() == THREE_EVENTS
    assert shop.rows("select range_start, range_end from batches") == [(0, len(THREE))]


def test_of_a_parquet_file_that_is_rewritten_while_it_is_read_nothing_is_loaded(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has more rows than were counted: that is no reason to end the run."""
    path = shop.folder / "a.parquet"
    rows = "select timestamp '2026-11-23 10:00:00' as ts, '5.10' as build, '7' as code from range({})"
    duckdb.execute(f"copy ({rows.format(2)}) to '{path}' (format parquet)")
    insert_large = base_tables.insert_large

    def meanwhile(connection: Connection, reader: Reader, batch: Batch) -> int:
        duckdb.execute(f"copy ({rows.format(3)}) to '{shop.folder / 'new'}' (format parquet)")
        path.write_bytes((shop.folder / "new").read_bytes())
        return insert_large(connection, reader, batch)

    monkeypatch.setattr(base_tables, "insert_large", meanwhile)
    (outcome,) = shop.feed()
    assert outcome.message == f"{path}: was written to while it was read; nothing of it was loaded"
    assert all(shop.rows(f"select count(*) from {table}") == [(0,)] for table in TABLES)


def test_a_packed_file_that_changes_while_it_is_read_loads_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shop.write("a.csv.gz", THREE)
    monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    examine = encoding.examine

    def meanwhile(where: Path) -> encoding.Examined:
        found = examine(where)
        with path.open("ab") as stream:
            stream.write(gzip.compress(MORE))
        return found

    monkeypatch.setattr(loading, "examine", meanwhile)
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

    monkeypatch.setattr(builds, "update", fail)
    (outcome,) = shop.feed()
    assert outcome.state == "failed"
    assert "No space left on device; make room" in outcome.message
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

    monkeypatch.setattr(base_tables, "count", fail)
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
    plain = [b"a,b\r\nc,d\r\n", b"a,b\nc,d\n", b"\n\n", b"\xc3\xa9\n", b"", b"a\nbc", b"\xf0\x9f\x92\xa5\n\n"]
    odd = [
        b"a\rb\r",
        b"a\r\nb\n",
        b"a\nb\r\n",
        b"a\nb\r",
        b"a\r\r\n",
        b"a\0\n",
        b"\xe9a\n",
        b"a\n\xc3",
        b"ab\r",
    ]
    path = tmp_path / "x"
    monkeypatch.setattr(encoding, "PORTION_BYTES", 7)
    path.write_bytes(b"\n" * 9 + b"a" * 20)
    assert not encoding.examine(path).is_plain, "a line that may be too long"
    for size in (5, 7, 1 << 20):
        monkeypatch.setattr(encoding, "PORTION_BYTES", size)
        for is_plain, texts in ((True, plain), (False, odd)):
            for text in texts:
                path.write_bytes(text)
                found = encoding.examine(path)
                assert (text, found.is_plain) == (text, is_plain)
                assert found.lines == len(text.replace(b"\r\n", b"\n").splitlines()) or not is_plain
        path.write_bytes(THREE)
        assert encoding.examine(path).fingerprint == hashlib.sha256(THREE).hexdigest()


def test_the_same_times_of_day_on_another_day_are_other_records(shop: Shop) -> None:
    for day in (21, 22):
        shop.write(f"errors-2026-11-{day}.csv", b"ts,build,code\n10:00:00,5.9,E1\n")
    found = shop.feed(date="name") + shop.feed(date="name")
    assert [outcome.state for outcome in found] == ["loaded", "loaded", "skipped", "skipped"]
    assert [ts[:10] for ts, _, _ in shop.events()] == ["2026-11-21", "2026-11-22"]
    # Packed, or copied to a name without a date, it is what it was.
    shop.write("errors-2026-11-22.csv.gz", b"ts,build,code\n10:00:00,5.9,E1\n")
    shop.feed(date="name")
    assert len(shop.events()) == 2


def test_a_file_that_cannot_be_opened_is_refused_until_it_can(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shop.write("a.csv", THREE)

    def forbidden(plain: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(loading, "Snapshot", forbidden)
        shop.feed()
    refused = [(str(path), f"{path}: cannot be read: Permission denied")]
    assert shop.rows("select path, reason from refused") == refused
    shop.feed()
    assert shop.rows("select path, reason from refused") == []


def test_what_is_refused_is_forgotten_once_it_is_gone(shop: Shop) -> None:
    path = shop.write("a.csv", b"a,b,c\n1,2,3\n")
    shop.feed()
    assert shop.rows("select count(*) from refused") == [(1,)]
    path.unlink()
    shop.feed()
    assert shop.rows("select count(*) from refused") == [(0,)]


def test_a_failure_to_remember_a_refusal_stops_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk."""
    from streammetrics.sources import ledger

    shop.write("a.csv", b"a,b,c\n1,2,3\n")
    shop.write("b.csv", THREE)
    monkeypatch.setattr(ledger, "_REFUSE", "select error('full')")
    assert sorted(outcome.state for outcome in shop.feed()) == ["failed", "loaded"]
    assert shop.events() == THREE_EVENTS
