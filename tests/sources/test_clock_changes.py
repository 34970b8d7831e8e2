"""Times through the hour that a clock shows twice: the order of lines tells which of the two is meant."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.ingest.feeding import Shop

pytestmark = pytest.mark.slow

BERLIN = "Europe/Berlin"
NIGHT = datetime(2025, 10, 25, 23, 30)
"""Half an hour before the first of the two hours of Berlin, in UTC."""
LONG_AFTER = datetime(2026, 11, 23, 12)


def moments(start: datetime, minutes: int, seconds: int = 20) -> list[datetime]:
    return [start + timedelta(seconds=n) for n in range(0, minutes * 60, seconds)]


def lines(found: list[datetime], zone: str = BERLIN) -> list[str]:
    """The code of each is its time in UTC."""
    local = [moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)) for moment in found]
    return [f"{at:%Y-%m-%d %H:%M:%S},5.9,{moment}\n" for at, moment in zip(local, found, strict=True)]


def read_rightly(shop: Shop, number: int) -> None:
    """So many records have the time that their code says, and no other."""
    events = shop.events()
    assert [(ts, code) for ts, _, code in events if ts != code] == []
    assert len(events) == number


@pytest.mark.parametrize(
    ("zone", "start", "kind"),
    [
        (BERLIN, NIGHT, "csv"),
        (BERLIN, NIGHT, "jsonl"),
        (BERLIN, NIGHT, "parquet"),
        ("America/New_York", datetime(2025, 11, 2, 4, 40), "csv"),
        ("Australia/Lord_Howe", datetime(2025, 4, 5, 14), "csv"),
        ("Antarctica/Troll", datetime(2025, 10, 25, 22, 30), "csv"),
        ("America/Havana", datetime(2025, 11, 2, 3, 30), "csv"),
        ("Europe/London", datetime(2025, 10, 25, 23), "csv"),
    ],
)
def test_all_records_of_a_night_count(shop: Shop, zone: str, start: datetime, kind: str) -> None:
    text = lines(found := moments(start, 300), zone)
    if kind == "csv":
        shop.write("errors.csv", "".join(["ts,build,code\n", *text]).encode())
    else:
        rows = [dict(zip(("ts", "build", "code"), line.strip().split(","), strict=True)) for line in text]
        path = shop.write("errors.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
        if kind == "parquet":
            select = f"select ts, build, code::varchar as code from '{path}'"
            duckdb.execute(f"copy ({select}) to '{path.with_suffix('.parquet')}' (format parquet)")
            path.unlink()
    assert [outcome.message for outcome in shop.feed(timezone=zone)] == [""]
    read_rightly(shop, len(found))


@pytest.mark.parametrize("first_minutes", [31, 60, 90, 91, 149])
def test_a_file_that_grows_through_the_night(shop: Shop, first_minutes: int) -> None:
    """Read long afterwards, in two parts or more: what was read of it before tells as well."""
    found = moments(NIGHT, 200)
    text = lines(found)
    path, done = shop.write("errors.csv", b"ts,build,code\n"), 0
    for part in (first_minutes * 3, 10, 10, len(found)):
        with path.open("a") as stream:
            stream.write("".join(text[done : done + part]))
        done += part
        shop.feed(timezone=BERLIN, now=LONG_AFTER)
    read_rightly(shop, len(found))


@pytest.mark.parametrize("pause_minutes", [0, 3])
def test_a_file_that_is_read_each_minute(shop: Shop, pause_minutes: int) -> None:
    """No second hour is meant while it is still to come, however long nothing was written."""
    found = moments(NIGHT, 40) + moments(NIGHT + timedelta(minutes=40 + pause_minutes), 160)
    path = shop.write("errors.csv", b"ts,build,code\n")
    for minute in range(30, 216, 15):
        now = NIGHT + timedelta(minutes=minute)
        text = lines([at for at in found if now - timedelta(minutes=15) <= at < now or (minute == 30 and at < now)])
        with path.open("a") as stream:
            stream.write("".join(text))
        shop.feed(timezone=BERLIN, now=now)
    read_rightly(shop, len(found))


def test_files_that_are_read_together(shop: Shop) -> None:
    found = moments(NIGHT, 200)
    for name in ("a.csv", "b.csv"):
        shop.write(name, "".join(["ts,build,code\n", *lines(found), f"x,5.9,{name}\n"]).encode())
    shop.feed(timezone=BERLIN)
    read_rightly(shop, 2 * len(found))


def test_lines_that_are_a_little_out_of_order(shop: Shop) -> None:
    dice = random.Random(5)
    found = sorted(moments(NIGHT, 200, 2), key=lambda at: at + timedelta(seconds=dice.uniform(0, 55)))
    shop.feed_text("".join(["ts,build,code\n", *lines(found)]), timezone=BERLIN)
    read_rightly(shop, len(found))


def test_what_is_in_no_order_is_rejected(shop: Shop) -> None:
    found = moments(NIGHT, 200)
    random.Random(5).shuffle(found)
    outcome = shop.feed_text("".join(["ts,build,code\n", *lines(found)]), timezone=BERLIN)
    read_rightly(shop, len(found) - 120 * 3)
    assert outcome.rejected == 120 * 3
    assert {reason for _, reason, _ in shop.rejects()} == {
        "time cannot be read: this local time does not exist, or occurs twice, in Europe/Berlin"
    }


@pytest.mark.parametrize(("hours", "seconds"), [(1, 20), (2, 20)])
def test_one_hour_of_the_two_alone_is_rejected(shop: Shop, hours: int, seconds: int) -> None:
    """Nothing tells which it is, if nothing stands before it."""
    found = moments(NIGHT.replace(minute=30) + timedelta(minutes=30 + 60 * (hours - 1)), 60, seconds)
    outcome = shop.feed_text("".join(["ts,build,code\n", *lines(found)]), timezone=BERLIN)
    assert (outcome.records, outcome.rejected) == (0, len(found))


def test_no_record_of_the_hour_that_is_skipped_counts(shop: Shop) -> None:
    text = [f"2025-03-30 0{hour}:{minute:02}:00,5.9,x\n" for hour in (1, 2, 3) for minute in range(60)]
    outcome = shop.feed_text("".join(["ts,build,code\n", *text]), timezone=BERLIN)
    assert (outcome.records, outcome.rejected) == (120, 60)


def test_a_file_that_goes_on_after_the_night(shop: Shop, tmp_path: Path) -> None:
    found = moments(NIGHT, 400, 60)
    shop.feed_text("".join(["ts,build,code\n", *lines(found)]), timezone=BERLIN)
    # Stragglers of the second hour, after it.
    with (shop.folder / "errors.csv").open("a") as stream:
        stream.write("".join(lines(late := [NIGHT + timedelta(minutes=140, seconds=1)])))
    shop.feed(timezone=BERLIN)
    read_rightly(shop, len(found) + len(late))


def test_bad_lines_in_a_large_file_change_no_time(shop: Shop) -> None:
    """Its rejects are looked for once the rest is inserted, which must not count as what the lines come after."""
    found = moments(NIGHT, 500, 1)
    text = lines(found)
    text.insert(1000, "x\n")
    outcome = shop.feed_text("".join(["ts,build,code\n", *text]), timezone=BERLIN)
    assert outcome.rejected == 1
    read_rightly(shop, len(found))
