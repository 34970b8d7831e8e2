"""The same content counts once: read again and again, copied, renamed, compressed, and while it grows."""

import gzip
import shutil
from typing import Any

import pytest

from streammetrics.sources.snapshot import SMALL_BYTES, Snapshot
from tests.ingest.feeding import Shop

pytestmark = pytest.mark.reliability

LINES = ["ts,build,code\n", *(f"2026-11-23 10:00:{n % 60:02},5.{n % 2 + 9},E{n}\n" for n in range(500))]


def counted_once(shop: Shop, records: int) -> None:
    codes = [code for _, _, code in shop.events()]
    assert sorted(codes) == sorted(f"E{n}" for n in range(records))
    assert shop.rows("select sum(errors) from counters") == [(records,)]
    assert shop.rows("select sum(records) from batches") == [(records,)]


@pytest.mark.parametrize("records", [1, 500])
def test_a_file_three_times_copied_renamed_and_compressed(shop: Shop, records: int, record_property: Any) -> None:
    lines = LINES[: records + 1]
    path = shop.write("a.csv", "".join(lines).encode())
    for _ in range(3):
        shop.feed()
    shutil.copy(path, shop.folder / "copy.csv")
    shop.feed()
    path.rename(shop.folder / "renamed.csv")
    shop.feed()
    shop.write("packed.csv.gz", "".join(lines).encode())
    shop.write("packed.csv.zst", "".join(lines).encode())
    members = [gzip.compress("".join(part).encode()) for part in (lines[:1], lines[1:])]
    (shop.folder / "again.csv.gz").write_bytes(b"".join(members))
    shop.feed()
    shop.feed(shop.folder / "copy.csv", shop.folder / "packed.csv.gz")
    counted_once(shop, records)
    record_property("seen", f"6 names of one content, {records} records counted")


def test_large_contents_in_small_files_of_one_run(shop: Shop) -> None:
    lines = ["ts,build,code\n", *(f"2026-11-23 10:00:{n % 60:02},5.{n % 2 + 9},E{n}\n" for n in range(40_000))]
    assert len("".join(lines)) > SMALL_BYTES
    for name in ("a.csv.gz", "b.csv.gz", "c.csv.zst"):
        shop.write(name, "".join(lines).encode())
    shop.feed()
    counted_once(shop, 40_000)


@pytest.mark.parametrize("lines", [3, 250])
def test_what_a_file_grew_by_before_it_was_renamed_and_compressed(shop: Shop, lines: int) -> None:
    path = shop.write("app.csv", "".join(LINES[:lines]).encode())
    shop.feed()
    with path.open("a") as stream:
        stream.writelines(LINES[lines:])
    path.rename(shop.folder / "app-1.csv")
    shop.write("app.csv", b"ts,build,code\n")
    shop.feed()
    counted_once(shop, 500)
    shop.write("app-1.csv.gz", "".join(LINES).encode())
    (shop.folder / "app-1.csv").unlink()
    shop.feed()
    counted_once(shop, 500)
    assert shop.rows("select * from replaced where found_as is null") == []


def test_a_large_file_that_is_equal_but_for_one_byte_is_another(shop: Shop) -> None:
    """The fingerprint of what grows is of samples; that of a file that comes as a whole is of every byte."""
    row = b"2026-11-23 10:00:00,5.9,1\n"
    content = b"ts,build,code\n" + row * 100_000
    shop.write("a.csv", content)
    shop.feed()
    place = len(content) // 2 // len(row) * len(row) + len(b"ts,build,code\n") + len(row) - 2
    shop.write("b.csv", content[:place] + b"2" + content[place + 1 :])
    assert Snapshot(shop.folder / "a.csv").prefix(len(content)) == Snapshot(shop.folder / "b.csv").prefix(len(content))
    shop.feed()
    assert shop.rows("select count(*) from events where code = '2'") == [(1,)]


def test_small_files_that_begin_alike_are_different_files(shop: Shop) -> None:
    shop.write("a.csv", "".join(LINES[:2]).encode())
    shop.feed()
    shop.write("b.csv", "".join([*LINES[:2], "2026-11-23 10:00:09,5.9,E9\n"]).encode())
    assert [outcome.records for outcome in shop.feed()] == [0, 2]
