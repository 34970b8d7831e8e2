"""Whatever a time is written as: it is exact to the microsecond, or the record is rejected."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.ingest.feeding import NOW, Shop, shop_in
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

EPOCH = datetime(1970, 1, 1)
FIRST = datetime(1973, 3, 4)
"""A number of seconds below 100,000,000 is no time."""
MICROSECOND = timedelta(microseconds=1)
RecordProperty = Callable[[str, object], None]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_in(tmp_path) as found:
        yield found


def moments(number: int, seed: int) -> list[datetime]:
    """At any microsecond up to now, and at those that are easily lost."""
    dice = random.Random(seed)
    span = (NOW - FIRST) // MICROSECOND
    edges = [datetime(2026, 11, 23, 11, 59, 59, micros) for micros in (0, 1, 999_999, 500_000, 100_000, 123_456)]
    edges += [datetime(2000, 2, 29, 23, 59, 59, 999_999), datetime(2016, 12, 31, 23, 59, 59, 1), datetime(1999, 12, 31)]
    return edges + [FIRST + dice.randrange(span) * MICROSECOND for _ in range(number)]


def epoch(moment: datetime, unit: timedelta, digits: int) -> str:
    """The moment as a number of units with so many digits behind the point."""
    micros, per_unit = (moment - EPOCH) // MICROSECOND, unit // MICROSECOND
    whole, rest = divmod(micros, per_unit)
    return f"{whole}" + (f".{rest:0{digits}d}" if digits else "")


def offset(moment: datetime, hours: float, style: str) -> str:
    text = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours))).isoformat(timespec="microseconds")
    head, sign, tail = text[:26], text[26], text[27:]
    return head + sign + {"+02:00": tail, "+0200": tail.replace(":", ""), "+02": tail[:2]}[style]


def whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


FORMS: dict[str, Callable[[datetime], str]] = {
    "ISO with Z": lambda m: m.isoformat(timespec="microseconds") + "Z",
    "ISO with a blank": lambda m: m.isoformat(" ", timespec="microseconds"),
    "ISO with a comma": lambda m: m.isoformat(timespec="microseconds").replace(".", ","),
    "ISO with an offset": lambda m: offset(m, 5.5, "+02:00"),
    "ISO with a short offset": lambda m: offset(m, -8, "+02"),
    "ISO with a plain offset": lambda m: offset(m, 2, "+0200"),
    "epoch s": lambda m: epoch(m, timedelta(seconds=1), 6),
    "epoch ms": lambda m: epoch(m, timedelta(milliseconds=1), 3),
    "epoch us": lambda m: epoch(m, MICROSECOND, 0),
    "epoch ns": lambda m: epoch(m, MICROSECOND, 0) + "999",
}


def stored(shop: Shop) -> list[datetime]:
    """The times of the events in the order of their records, whose numbers are their codes."""
    return [ts for (ts,) in shop.rows("select ts from events order by code::bigint")]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_every_form_of_a_time_is_exact(shop: Shop, kind: str, record_property: RecordProperty) -> None:
    times = [(form, m) for m in moments(count(300, 20_000), 10) for form in FORMS]
    texts = [FORMS[form](moment) for form, moment in times]
    if kind == "csv":
        text = "ts,build,code\n" + "".join(f'"{text}",5.9,{n}\n' for n, text in enumerate(texts))
    else:
        text = "".join(f'{{"ts": "{text}", "build": "5.9", "code": "{n}"}}\n' for n, text in enumerate(texts))
    outcome = shop.feed_text(text, f"all.{kind}")
    assert (outcome.records, outcome.rejected) == (len(times), 0)
    wrong = [(text, found) for text, (_, m), found in zip(texts, times, stored(shop), strict=True) if found != m]
    assert wrong == []
    record_property("seen", f"{len(times):,} times in {len(FORMS)} forms as {kind}, 0 wrong")


def test_times_of_one_shape_are_exact_on_the_quick_way(shop: Shop) -> None:
    for form in ("ISO with Z", "ISO with a blank"):
        times = moments(count(300, 20_000), 11)
        shop.clear()
        shop.feed_text("ts,build,code\n" + "".join(f"{FORMS[form](m)},5.9,{n}\n" for n, m in enumerate(times)), "q.csv")
        assert stored(shop) == times


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_two_nights_of_summer_time_minute_by_minute(shop: Shop, zone: str, record_property: RecordProperty) -> None:
    """The order of lines tells which of two moments a clock means; what it never shows is rejected, and no other is."""
    info = ZoneInfo(zone)
    nights = {
        "Europe/Berlin": (datetime(2026, 3, 29), datetime(2026, 10, 25)),
        "America/New_York": (datetime(2026, 3, 8), datetime(2026, 11, 1)),
        "Australia/Lord_Howe": (datetime(2026, 10, 4), datetime(2026, 4, 5)),
    }[zone]
    step = timedelta(minutes=1)
    begins = sorted(night.replace(tzinfo=info).astimezone(UTC) for night in nights)
    times = [begin + n * step + MICROSECOND for begin in begins for n in range(6 * 60)]
    clocks = [moment.astimezone(info).replace(tzinfo=None) for moment in times]
    shown = [night + n * step + MICROSECOND for night in nights for n in range(6 * 60)]
    never = [at for at in shown if at != at.replace(tzinfo=info).astimezone(UTC).astimezone(info).replace(tzinfo=None)]
    text = "ts,build,code\n" + "".join(f"{clock},5.9,{n}\n" for n, clock in enumerate([*clocks, *never]))
    outcome = shop.feed_text(text, timezone=zone)
    assert stored(shop) == [moment.replace(tzinfo=None) for moment in times]
    assert outcome.rejected == len(never) > 0
    assert {reason for _, reason, _ in shop.rejects()} == {
        f"time cannot be read: this local time does not exist, or occurs twice, in {zone}"
    }
    record_property("seen", f"{zone}: {outcome.records} minutes exact, {outcome.rejected} rejected")


def test_times_of_day_belong_to_the_day_that_is_set(shop: Shop) -> None:
    clocks = [m.time() for m in moments(count(300, 5000), 12)]
    text = "ts,build,code\n" + "".join(f"{c.isoformat('microseconds')},5.9,{n}\n" for n, c in enumerate(clocks))
    shop.feed_text(text, date="2026-11-22")
    assert stored(shop) == [datetime.combine(datetime(2026, 11, 22), c) for c in clocks]
    shop.clear()
    shop.feed_text("ts,build,code\n02:30:00,5.9,1\n03:30:00,5.9,2\n", date="2026-03-29", timezone="Europe/Berlin")
    assert stored(shop) == [datetime(2026, 3, 29, 1, 30)]


NO_TIMES = (
    "infinity", "-infinity", "epoch", "now", "today", "NaN", "294248-01-01 00:00:00", "294247-01-10 04:00:54.775807",
    "+294248-01-01T00:00:00Z", "290309-12-22 (BC) 00:00:00", "0000-01-01 00:00:00", "0999-12-31 23:59:59",
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "-1795392000", "99999999",
    "0x6A000000", "2026-02-29 10:00:00", "2026-11-23 24:00:00", "2026-11-23 10:60:00", "2026-11-23 10:00:61",
    "2026-11-23", "2026-11-23 10:00:00+25:00", "2026-11-23 10:00:00 Mars/Olympus", "23.11.2026 10:00",
    "11/23/2026 10:00:00", "noon", "10:00:00",
    "2026-11-23T10:00:00+02:00:00", "2026-11-23 10:00:00 BC", "9999-12-31 23:59:59", "2027-11-23 12:00:00",
)  # fmt: skip


def test_what_is_no_time_of_ours_is_rejected(shop: Shop, record_property: RecordProperty) -> None:
    lines = "".join(f'"{text}",5.9,1\n' for text in NO_TIMES)
    outcome = shop.feed_text(f"ts,build,code\n2026-11-23 10:00:00,5.9,1\n{lines}")
    assert shop.events() == [("2026-11-23 10:00:00", "5.9", "1")]
    assert outcome.rejected == len(NO_TIMES) == len(shop.rejects())
    record_property("seen", f"{len(NO_TIMES)} of {len(NO_TIMES)} rejected")


def test_times_of_parquet_are_exact_or_rejected(shop: Shop) -> None:
    exact = "timestamp '2026-11-23 10:00:00.123456'"
    moment = datetime(2026, 11, 23, 10, 0, 0, 123456)
    kinds = {
        "timestamp": (exact, moment),
        "timestamptz": (f"{exact}::timestamptz", moment),
        "timestamp_ns": (f"{exact}::timestamp_ns", moment),
        "timestamp_ms": (f"{exact}::timestamp_ms", moment.replace(microsecond=123000)),
        "micros": (f"epoch_us({exact})", moment),
        "far": ("timestamp '294247-01-01 00:00:00'", None),
        "before": ("timestamp '0001-01-01 00:00:00'", None),
    }
    for name, (value, expected) in kinds.items():
        path = shop.folder / f"{name}.parquet"
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(f"copy (select {value} as ts, '5.9' as build, 1 as code) to '{path}' (format parquet)")
        shop.clear()
        (outcome,) = shop.feed(path)
        assert stored(shop) == ([expected] if expected else [])
        assert outcome.records + outcome.rejected == 1
