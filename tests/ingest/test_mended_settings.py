"""A file of which every record was rejected is read again after its settings change, and counts once."""

from typing import Any

import pytest

from tests.ingest.feeding import Shop

HEAD = "a,b,c\n"
LINES = "2026-11-23 10:00:00,5.9,7\n2026-11-23 10:00:01,5.9,8\n"
WRONG: dict[str, Any] = {"columns": {"ts": "b", "build": "a", "code": "c"}}
RIGHT: dict[str, Any] = {"columns": {"ts": "a", "build": "b", "code": "c"}}


def tell(shop: Shop) -> list[tuple[int, int, bool]]:
    return shop.rows("select records, rejected, duplicate_of is null from batches order by batch_id")


def test_it_is_read_again_once_the_settings_are_mended(shop: Shop) -> None:
    path = shop.write("a.csv", (HEAD + LINES).encode())
    (outcome,) = shop.feed(**WRONG)
    assert outcome.message.startswith(f"{path}: no record was accepted: 2 rejected; line 2: ")
    assert outcome.message.endswith("; it is read again after the file or these settings change")
    assert len(shop.rejects()) == 2
    assert shop.feed(**WRONG)[0].state == "skipped"
    assert [outcome.records for outcome in shop.feed(**RIGHT)] == [2]
    assert shop.rejects() == []
    assert tell(shop) == [(0, 0, False), (2, 0, True)]
    for settings in (RIGHT, WRONG):
        assert shop.feed(**settings)[0].state == "skipped"
    assert len(shop.events()) == 2


def test_its_rejects_are_replaced_by_those_of_the_new_settings(shop: Shop) -> None:
    shop.write("a.csv", (HEAD + LINES + "x,5.9,7\n").encode())
    shop.feed(**WRONG)
    (outcome,) = shop.feed(**RIGHT)
    assert (outcome.records, outcome.rejected) == (2, 1)
    assert [(line, content) for line, _, content in shop.rejects()] == [(4, "x,5.9,7")]
    assert shop.rows("select sum(rejected) from batches") == [(1,)]


@pytest.mark.parametrize("settings", [{"timezone": "Asia/Kolkata"}, {"limit": 10**9}])
def test_any_setting_that_decides_is_a_reason(shop: Shop, settings: dict[str, Any]) -> None:
    shop.write("a.csv", b"ts,build,code\n2026-11-23 14:00:00,5.9,7\n")
    assert shop.feed()[0].rejected == 1
    assert shop.feed(**settings)[0].records == 1


def test_other_settings_are_none(shop: Shop) -> None:
    shop.write("a.csv", (HEAD + LINES).encode())
    shop.feed(**WRONG)
    assert shop.feed(**WRONG, last_line_seconds=1, after="delete")[0].state == "skipped"
    assert (shop.folder / "a.csv").exists()


def test_lines_that_were_all_rejected_later_are_read_again_and_those_before_are_not(shop: Shop) -> None:
    path = shop.write("a.csv", (HEAD + LINES).encode())
    shop.feed(**RIGHT)
    for second in (2, 3):
        with path.open("a") as stream:
            stream.write(f"2026-11-23 15:30:{second:02},5.9,{second}\n")
        shop.feed(**RIGHT)
    assert len(shop.rejects()) == 2
    (outcome,) = shop.feed(**RIGHT, timezone="Asia/Kolkata")
    assert (outcome.records, outcome.rejected) == (2, 0)
    assert len(shop.events()) == 4
    assert shop.rejects() == []


def test_a_copy_of_it_is_read_where_it_has_gone(shop: Shop) -> None:
    path = shop.write("a.csv", (HEAD + LINES).encode())
    shop.write("b.csv", (HEAD + LINES).encode())
    shop.feed(**WRONG)
    path.unlink()
    assert [outcome.records for outcome in shop.feed(**RIGHT)] == [2]
    assert shop.rejects() == []
    assert shop.feed(**RIGHT)[0].state == "skipped"


def test_a_file_with_a_record_that_counts_is_not_read_again(shop: Shop) -> None:
    shop.write("a.csv", (HEAD + LINES + "x,5.9,7\n").encode())
    shop.feed(**RIGHT)
    assert shop.feed(**WRONG)[0].state == "skipped"
    assert len(shop.rejects()) == 1
