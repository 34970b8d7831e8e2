"""Times are exact to the microsecond, or the record is rejected."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streammetrics.errors import ConfigError
from streammetrics.sources.times import plain_guard, typed
from tests.ingest.feeding import Shop
from tests.streams import tries

EPOCH = datetime(1970, 1, 1)

TIMES = {
    "2026-11-23 10:00:00": "2026-11-23 10:00:00",
    "2026-11-23T10:00:00": "2026-11-23 10:00:00",
    "2026-11-23t10:00:00z": "2026-11-23 10:00:00",
    "2026-11-23 10:00": "2026-11-23 10:00:00",
    "2026-11-23  9:05:01": "2026-11-23 09:05:01",
    " 2026-11-23 10:00:00\t": "2026-11-23 10:00:00",
    "2026-11-23 10:00:00.1": "2026-11-23 10:00:00.100000",
    "2026-11-23T10:00:00,25Z": "2026-11-23 10:00:00.250000",
    "2026-11-23 10:00:00.123456789": "2026-11-23 10:00:00.123456",
    "2026-11-23 10:00:00.9999999": "2026-11-23 10:00:00.999999",
    "2026-11-23T10:00:00Z": "2026-11-23 10:00:00",
    "2026-11-23 10:00:00 UTC": "2026-11-23 10:00:00",
    "2026-11-23 10:00:00+02": "2026-11-23 08:00:00",
    "2026-11-23 10:00:00+02:30": "2026-11-23 07:30:00",
    "2026-11-23T01:00:00.5-0800": "2026-11-23 09:00:00.500000",
    "2026-11-23 10:00:00 +0545": "2026-11-23 04:15:00",
    "1795428000": "2026-11-23 10:00:00",
    "1795428000.5": "2026-11-23 10:00:00.500000",
    "1795428000.1234567": "2026-11-23 10:00:00.123456",
    "1795428000123": "2026-11-23 10:00:00.123000",
    "1795428000123456": "2026-11-23 10:00:00.123456",
    "1795428000123456789": "2026-11-23 10:00:00.123456",
    "100000000": "1973-03-03 09:46:40",
    "2024-02-29 23:59:59.999999": "2024-02-29 23:59:59.999999",
}

SPELLINGS = {
    # Java's OffsetDateTime and ZonedDateTime, of a full minute.
    "2026-11-23T10:00+01:00": "2026-11-23 09:00:00",
    "2026-11-23T10:00-0130": "2026-11-23 11:30:00",
    "2026-11-23T10:00+01:00[Europe/Berlin]": "2026-11-23 09:00:00",
    # Java's DateFormat and JavaScript's toLocaleString since Unicode's CLDR 42.
    "Nov 23, 2026, 9:05:01\u202fAM": "2026-11-23 09:05:01",
    # Go, with its monotonic clock, and with zones of a name or of none.
    "2026-11-23 10:00:00 +0000 UTC": "2026-11-23 10:00:00",
    "2026-11-23 10:00:00.123456789 +0000 UTC m=+0.1": "2026-11-23 10:00:00.123456",
    "2026-11-23 10:00:00.5 +0100 CET m=+12.000000001": "2026-11-23 09:00:00.500000",
    "2026-11-23 10:00:00 -0300 -03": "2026-11-23 13:00:00",
    "2026-11-23 10:00:00 +0530 +0530 m=-0.5": "2026-11-23 04:30:00",
    # Java.
    "2026-11-23T10:00:00Z[UTC]": "2026-11-23 10:00:00",
    "2026-11-23T10:00:00.25+01:00[Europe/Berlin]": "2026-11-23 09:00:00.250000",
    "2026-11-23T10:00:00-02:00[Etc/GMT+2]": "2026-11-23 12:00:00",
    # Numbers with an exponent or a decimal comma.
    "1.795428e9": "2026-11-23 10:00:00",
    "1.7954280005E9": "2026-11-23 10:00:00.500000",
    "1.795428000123E+12": "2026-11-23 10:00:00.123000",
    "1,795428e9": "2026-11-23 10:00:00",
    "17954280001234567e-7": "2026-11-23 10:00:00.123456",
    "1.795428000123456789e18": "2026-11-23 10:00:00.123456",
    "1795428000,5": "2026-11-23 10:00:00.500000",
    "1795428000123,25": "2026-11-23 10:00:00.123250",
    # ISO basic, slashes and dots behind the year.
    "20261123T100000Z": "2026-11-23 10:00:00",
    "20261123T100000.25+0100": "2026-11-23 09:00:00.250000",
    "20261123 100000": "2026-11-23 10:00:00",
    "20261123T1000Z": "2026-11-23 10:00:00",
    "20261123T10:00:00": "2026-11-23 10:00:00",
    "2026-11-23T100000,5Z": "2026-11-23 10:00:00.500000",
    "2026/11/23 10:00:00": "2026-11-23 10:00:00",
    "2026/1/3 9:05:01.5 +0100": "2026-01-03 08:05:01.500000",
    "2026.11.23 10:00:00Z": "2026-11-23 10:00:00",
    # Digits alone; as milliseconds since 1970 they are past the year 2600.
    "20261123100000": "2026-11-23 10:00:00",
    "20261123100000.25+01:00": "2026-11-23 09:00:00.250000",
    "20261123100000Z": "2026-11-23 10:00:00",
    # Months by name: Apache, RFC 2822, ctime, date, JavaScript.
    "23/Nov/2026:10:00:00 +0000": "2026-11-23 10:00:00",
    "[23/Nov/2026:10:00:00 -0130]": "2026-11-23 11:30:00",
    "Mon, 23 Nov 2026 10:00:00 +0100": "2026-11-23 09:00:00",
    "Mon, 23 Nov 2026 10:00:00 GMT": "2026-11-23 10:00:00",
    "Mon, 2 Feb 2026 10:00:00 +0000 (UTC)": "2026-02-02 10:00:00",
    "23-Nov-2026 10:00:00": "2026-11-23 10:00:00",
    "23 november 2026 10:00:00.5": "2026-11-23 10:00:00.500000",
    "Nov 23, 2026 10:00:00": "2026-11-23 10:00:00",
    "Nov 23, 2026 @ 10:00:00.250": "2026-11-23 10:00:00.250000",
    "Mon Nov 23 10:00:00 2026": "2026-11-23 10:00:00",
    "Mon Nov  2 10:00:00 UTC 2026": "2026-11-02 10:00:00",
    "Mon Nov 23 10:00:00 +0100 2026": "2026-11-23 09:00:00",
    "Mon Nov 23 2026 10:00:00 GMT+0100 (Central European Standard Time)": "2026-11-23 09:00:00",
    # Twice twelve hours.
    "2026-11-22 10:00:00 PM": "2026-11-22 22:00:00",
    "2026-11-23 12:00:00 AM": "2026-11-23 00:00:00",
    "2026/11/23 12:30 p.m.": "2026-11-23 12:30:00",
    "Nov 22, 2026, 1:05:00.5 pm": "2026-11-22 13:05:00.500000",
    "Mon Nov 23 10:00:00 AM UTC 2026": "2026-11-23 10:00:00",
    # A leap second is the second after it, as on the clock of POSIX.
    "2016-12-31T23:59:60Z": "2017-01-01 00:00:00",
    "2016-12-31T23:59:60.5Z": "2017-01-01 00:00:00.500000",
    "2017-01-01 05:29:60+05:30": "2017-01-01 00:00:00",
    "20161231T235960Z": "2017-01-01 00:00:00",
}

NO_TIMES = {
    "": "has no time",
    "  ": "has no time",
    "2026-11-23": "time cannot be read: a date without a time of day",
    "10:00:00": "time cannot be read: a time of day, and the source sets no date",
    "infinity": "time cannot be read",
    "-infinity": "time cannot be read",
    "epoch": "time cannot be read",
    "now": "time cannot be read",
    "2026-02-30 10:00:00": "time cannot be read",
    "2026-11-23 25:00:00": "time cannot be read",
    "2026-11-23 10:00:60": "time cannot be read",
    "2026-11-23 10:00:00+25": "time cannot be read",
    "2026-11-23 10:00:00+02:99": "time cannot be read",
    "2026-11-23 10:00:00 Europe/Berlin": "time cannot be read",
    "2026-11-23 (BC) 10:00:00": "time cannot be read",
    "294248-01-01 00:00:00": "time cannot be read",
    "0000-01-01 00:00:00": "time cannot be read",
    "23.11.2026 10:00:00": "time cannot be read",
    "20261123": "time cannot be read",
    "99999999": "time cannot be read",
    "-1795428000": "time cannot be read",
    "1.7e7": "time cannot be read",
    "1.795428e30": "time cannot be read",
    "11/28/24 16:15:00": "time cannot be read",
    "28/11/2026 16:15:00": "time cannot be read",
    "28/Nix/2026:16:15:00 +0000": "time cannot be read",
    "Sat, 28 Nov 2026 16:15:00 EST": "time cannot be read",
    "1,795,428,000": "time cannot be read",
    "2026-11-23 10:00:00 m=+0.1": "time cannot be read",
    "20261123T250000": "time cannot be read",
    "20261123250000": "time cannot be read",
    "2026-11-23 13:00:00 PM": "time cannot be read",
    "2026-11-23 0:00:00 AM": "time cannot be read",
    "1795428000123456789012": "time cannot be read",
    "x" * 500: "time cannot be read",
}


@pytest.mark.slow
@pytest.mark.parametrize("end", ["\n", "\r"], ids=["quick", "careful"])
@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_exact(shop: Shop, text: str, end: str) -> None:
    shop.feed_text(end.join(["ts;build;code", f"{text};5.9;7"]))
    assert shop.events() == [(TIMES[text], "5.9", "7")]


@pytest.mark.parametrize("end", ["\n", "\r"], ids=["quick", "careful"])
def test_spellings_of_common_writers(shop: Shop, end: str) -> None:
    shop.feed_text(end.join(["ts;build;code", *(f"{text};5.9;{text}" for text in SPELLINGS)]))
    assert {code: ts for ts, _, code in shop.events()} == SPELLINGS
    assert shop.rejects() == []


@pytest.mark.slow
@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_rejected(shop: Shop, text: str) -> None:
    shop.feed_text(f"ts;build;code\n2026-11-23 10:00:00;5.9;7\n{text};5.9;7\n")
    assert shop.events() == [("2026-11-23 10:00:00", "5.9", "7")]
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(3, NO_TIMES[text])]


def test_forms_may_be_mixed(shop: Shop) -> None:
    shop.feed_text("\n".join(["ts;build;code", *(f"{text};5.9;{text}" for text in TIMES)]))
    assert {code: ts for ts, _, code in shop.events()} == TIMES
    assert shop.rejects() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "late",
    ["2026-11-23 10:00:00+02", "2026-11-23T10:00:00.1-02", "10:00:00", "1795428000", "epoch", " 026-11-23 10:00:00"],
)
def test_a_form_that_first_shows_late_is_seen(shop: Shop, late: str) -> None:
    """The first thousand records are looked at; a bare cast would drop the offset of a later one."""
    for sample in ("2026-11-23 10:00:00", "2026-11-23 10:00:00.12345"):
        shop.clear()
        lines = ["ts,build,code", *(f"{sample},5.9,7" for _ in range(1500)), f"{late},5.9,late"]
        outcome = shop.feed_text("\n".join(lines))
        assert (outcome.records + outcome.rejected) == 1501
        expected = {
            "1795428000": "10:00:00",
            "2026-11-23 10:00:00+02": "08:00:00",
            "2026-11-23T10:00:00.1-02": "12:00:00.100000",
        }
        found = [ts for ts, _, code in shop.events() if code == "late"]
        assert found == ([f"2026-11-23 {expected[late]}"] if late in expected else [])


@pytest.mark.parametrize("end", ["\n", "\r"], ids=["quick", "careful"])
def test_a_zone_applies_to_times_without_one(shop: Shop, end: str) -> None:
    texts = [
        "2026-07-01 12:00:00",
        "2026-01-15T12:00:00.5",
        "2026-07-01 12:00:00Z",
        "2026-07-01 12:00:00-01",
        "1795428000",
    ]
    lines = ["ts,build,code", *(f"{text},5.9,{number}" for number, text in enumerate(texts))]
    shop.feed_text(end.join(lines), timezone="Europe/Berlin")
    assert sorted((code, ts) for ts, _, code in shop.events()) == [
        ("0", "2026-07-01 10:00:00"),
        ("1", "2026-01-15 11:00:00.500000"),
        ("2", "2026-07-01 12:00:00"),
        ("3", "2026-07-01 13:00:00"),
        ("4", "2026-11-23 10:00:00"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Antarctica/Troll", "Asia/Kolkata"])
def test_nights_in_which_the_clock_is_changed(shop: Shop, zone: str) -> None:
    """Each local time of a year's steps of 30 minutes is the one instant that shows it, or is rejected."""
    instants = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(2 * 24 * 366)]
    shown: dict[datetime, list[datetime]] = {}
    for instant in instants:
        shown.setdefault(instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None), []).append(
            instant.replace(tzinfo=None)
        )
    locals_ = [datetime(2025, 1, 2) + timedelta(minutes=30 * n) for n in range(2 * 24 * 363)]
    shop.feed_text("\n".join(["ts,build,code", *(f"{at},5.9,{at}" for at in locals_)]), timezone=zone)
    expected = {str(at): str(shown[at][0]) for at in locals_ if len(shown.get(at, [])) == 1}
    assert {code: ts for ts, _, code in shop.events()} == expected
    reasons = {reason for _, reason, _ in shop.rejects()}
    assert reasons <= {f"time cannot be read: this local time does not exist, or occurs twice, in {zone}"}
    assert len(expected) + len(shop.rejects()) == len(locals_)
    assert (len(expected) == len(locals_)) == (zone == "Asia/Kolkata")


@pytest.mark.parametrize(
    ("name", "date"), [("errors.csv", "2026-11-20"), ("errors-2026-11-20.csv", "name"), ("x_20261120_1.csv", "name")]
)
def test_times_of_day_get_the_date_that_is_set(shop: Shop, name: str, date: str) -> None:
    shop.feed_text(
        "ts,build,code\n0:00:00,5.9,7\n13:00:01.5,5.9,7\n2026-11-19 10:00:00,5.9,7\n24:30:00,5.9,7\n", name, date=date
    )
    assert [ts for ts, _, _ in shop.events()] == [
        "2026-11-19 10:00:00",
        "2026-11-20 00:00:00",
        "2026-11-20 13:00:01.500000",
    ]
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [(5, "time cannot be read")]


@pytest.mark.parametrize("name", ["errors.csv", "errors.jsonl"])
def test_times_of_day_without_a_date_are_refused(shop: Shop, name: str) -> None:
    text = (
        '{"ts": "0:00:00", "build": "5.9", "code": 7}' if name.endswith("jsonl") else "ts,build,code\n0:00:00,5.9,7\n"
    )
    outcome = shop.feed_text(text, name)
    assert isinstance(outcome.error, ConfigError)
    assert outcome.message == (
        f"{shop.folder / name}: the first time is 0:00:00, a time of day; set date of [[source]] 'feed' to the day it "
        'belongs to, such as date = "2026-11-23", or to "name" where the file\'s name has it; where another column has '
        'it, name both: columns = { ts = ["date", "time"] }'
    )
    assert shop.rows("select * from batches") == []


def test_a_name_without_a_date_is_reported(shop: Shop) -> None:
    outcome = shop.feed_text("ts,build,code\n0:00:00,5.9,7\n", name="errors-2026-13-40.csv", date="name")
    assert isinstance(outcome.error, ConfigError)
    assert "date = \"name\" of [[source]] 'feed' finds no YYYY-MM-DD or YYYYMMDD in its name" in outcome.message


@pytest.mark.parametrize("end", ["\n", "\r"], ids=["quick", "careful"])
@pytest.mark.parametrize("form", ["{:%Y-%m-%d %H:%M:%S}", "{:%Y-%m-%dT%H:%M:%S+00:00}"])
def test_records_ahead_of_the_clock_are_rejected(shop: Shop, end: str, form: str) -> None:
    now = datetime(2026, 11, 23, 12)
    ahead = [form.format(now + timedelta(seconds=seconds)) for seconds in (-5, 60, 61, 3605, 400_000_000)]
    outcome = shop.feed_text(end.join(["ts,build,code", *(f"{ts},5.9,7" for ts in ahead)]), now=now, limit=60)
    assert (outcome.records, outcome.rejected) == (2, 3)
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [
        (4, "61 s ahead of the clock, more than ingest.future_limit_seconds = 60"),
        (5, "3,605 s ahead of the clock, more than ingest.future_limit_seconds = 60"),
        (6, "400,000,000 s ahead of the clock, more than ingest.future_limit_seconds = 60"),
    ]
    assert shop.rows("select max_ts::text from batches") == [("2026-11-23 12:01:00",)]


@pytest.mark.slow
@tries(10)
@given(
    st.lists(st.integers(min_value=10**14, max_value=1795428000 * 10**6), min_size=1, max_size=20), st.integers(0, 3)
)
def test_epoch_times_of_every_unit_are_what_they_say(one_shop: Shop, micros: list[int], unit: int) -> None:
    one_shop.clear()
    forms = (
        lambda m: f"{m // 10**6}.{m % 10**6:06}",
        lambda m: f"{m // 1000}.{m % 1000:03}",
        lambda m: f"{m}",
        lambda m: f"{m}000",
    )
    texts = list(map(forms[unit], micros))
    one_shop.feed_text(
        "\n".join(["ts,build,code", *(f"{text},5.9,{m}" for text, m in zip(texts, micros, strict=True))])
    )
    found = one_shop.rows("select ts, code from events")
    assert len(found) == len(micros)
    assert all(ts == EPOCH + timedelta(microseconds=int(code)) for ts, code in found)


@pytest.mark.parametrize(
    "text", ["2026-11-23 12:34:56", "2026-11-23T12:34:56", "2026-11-23T12:34:56Z", "2026-11-23 12:34:56.123456"]
)
def test_a_bare_cast_under_its_guard_reads_what_the_expression_reads(shop: Shop, text: str) -> None:
    """Every text that differs from a plain time in two places."""
    letters = " 09+-:.,TZ("
    once = {text[:n] + letter + text[n + 1 :] for n in range(len(text)) for letter in letters}
    twice = {one[:n] + letter + one[n + 1 :] for one in once for n in range(len(one)) for letter in letters}
    guard = plain_guard([text])
    assert guard is not None
    expressions = ", ".join(f"{name} as ({select})" for name, select in typed().items())
    query = (
        "with records as (select 1 as line, '' as reason, ts, ts as build, '' as code, '' as client, '' as content "
        "from (select unnest($texts) as ts) where ($shape is null or ts like $shape) "
        f"and ($expression is null or regexp_full_match(ts, $expression))), {expressions} "
        "select count(*), count(*) filter (where problem is not null or ts is distinct from bare) "
        "from (select *, try_cast(build as timestamp) as bare from typed) where bare >= timestamp '1000-01-01'"
    )
    settings = {
        "texts": sorted(twice),
        "zone": "UTC",
        "day": None,
        "time_format": None,
        "latest": datetime(9999, 1, 1),
        "future_limit_seconds": 0,
        "oldest": datetime(1, 1, 1),
        "oldest_days": 1,
        "longest_text": 1000,
        "kept_from": None,
        **guard,
    }
    with shop.connection.begin():
        taken, wrong = shop.connection.exec_driver_sql(query, settings).one()
    assert taken > 100
    assert wrong == 0


def test_only_plain_times_have_a_guard() -> None:
    assert plain_guard(["2026-11-23 10:00:00"]) == {"shape": "____-__-__ __:__:__", "expression": None}
    later = plain_guard(["2026-11-23T10:00:00Z", "2026-11-24T00:00:00Z"])
    assert later == {"shape": "____-__-__T__:__:__Z", "expression": None}
    for mixed in (["2026-11-23 10:00:00", "2026-11-23T10:00:00"], ["2026-11-23 10:00:00.123456"]):
        found = plain_guard(mixed)
        assert found is not None
        assert found["shape"] is None
    for other in ("2026-11-23 10:00:00+00", "1795428000", "10:00:00", "", "epoch", "٢026-11-23 10:00:00"):
        assert plain_guard(["2026-11-23 10:00:00", other]) is None
