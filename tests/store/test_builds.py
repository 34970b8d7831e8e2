"""The order of versions, and `builds` as a function of all counters, in whatever order they came."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streammetrics.store.builds import ESTABLISHED_RECORDS, ESTABLISHED_SECONDS
from streammetrics.store.builds.order import Build, Order, family, in_order, version_key
from tests.ingest.feeding import Shop
from tests.streams import tries

ORDER = [
    "",
    "E_X",
    "main",
    "\U0001f4a5",
    "1.0-alpha",
    "1.0-alpha.1",
    "1.0a3",
    "1.0-beta.2",
    "1.0-beta.11",
    "1.0b14",
    "1.0-M5",
    "1.0-next.1",
    "1.0-rc1",
    "1.0.RC.2",
    "1.0rc10",
    "1.0",
    "1.0a",
    "1.0.0",
    "1.0.1-SNAPSHOT",
    "1.0.1",
    "1.1",
    "5.0007.510.011",
    "5.0007.610.011",
    "5.9",
    "v5.9.1",
    "5.10",
    "V5.11",
    "2026.11.23",
    "9" * 5000,
    "1" + "0" * 5000,
]


def names(*builds: str, order: Order = "auto") -> list[str]:
    """The names in order, of builds that appeared in the order of the arguments."""
    found = in_order((Build(name, moment(second)) for second, name in enumerate(builds)), order)
    return [place.build for place in found]


def test_versions_are_in_natural_order() -> None:
    assert sorted(set(ORDER), key=version_key) == ORDER
    versions = ORDER[ORDER.index("1.0-alpha") : ORDER.index("2026.11.23") + 1]
    assert names(*reversed(versions)) == versions


@pytest.mark.parametrize(
    ("builds", "expected"),
    [
        (["1.0", "v1.1", "1.0.1"], ["1.0", "1.0.1", "v1.1"]),
        (["f3a9c1e", "a01d2e3", "0b7c9d1"], ["f3a9c1e", "a01d2e3", "0b7c9d1"]),
        (["canary", "blue"], ["canary", "blue"]),
        (["1045233", "987654321", "1045234"], ["1045233", "987654321", "1045234"]),
        (["build-9", "build-10", "build-8"], ["build-8", "build-9", "build-10"]),
        (["2026.11.28", "2026.9.30"], ["2026.9.30", "2026.11.28"]),
        (["1.0+f3a9c1e", "1.0+a01d2e3", "0.9+ffa01d2"], ["0.9+ffa01d2", "1.0+f3a9c1e", "1.0+a01d2e3"]),
        (["v2.1-14-g0b7c9d1", "v2.1-3-gf3a9c1e"], ["v2.1-3-gf3a9c1e", "v2.1-14-g0b7c9d1"]),
        # An unreadable name among versions: behind the highest that had appeared before it.
        (["hotfix", "1.1", "a01d2e3", "1.0", "2.0"], ["hotfix", "1.0", "1.1", "a01d2e3", "2.0"]),
        (["1-0", "1.0", "1_0"], ["1-0", "1.0", "1_0"]),
    ],
)
def test_what_reads_as_no_version_stands_where_it_appeared(builds: list[str], expected: list[str]) -> None:
    assert names(*builds) == expected


def test_the_order_can_be_set() -> None:
    builds = ["1.1", "1.0", "f3a9c1e", "a01d2e3"]
    assert names(*builds, order="first_seen") == builds
    assert names(*builds, order="version") == ["a01d2e3", "f3a9c1e", "1.0", "1.1"]


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ("5.1", ""),
        ("v5.1", ""),
        ("android-5.1", "android"),
        ("Android/v5.1-rc1", "android"),
        ("ios/5.1", "ios"),
        ("win10-5.1", "win10"),
        ("my-app_5", "my-app"),
        ("Firefox120.0", "firefox"),
        ("android-f3a9c1e", "android"),
        ("ios-nightly", "ios"),
        ("nightly", ""),
        ("f3a9c1e", ""),
        ("5.1-android", ""),
        ("", ""),
    ],
)
def test_the_family_is_the_text_before_the_version(build: str, expected: str) -> None:
    assert family(build) == expected


def test_families_are_apart() -> None:
    assert names("ios-5.2", "android-5.1", "5.0", "ios-5.1") == ["5.0", "android-5.1", "ios-5.1", "ios-5.2"]


@given(st.lists(st.text(), min_size=1, max_size=6, unique=True), st.sampled_from(["auto", "version", "first_seen"]))
def test_any_text_has_a_place(builds: list[str], order: Order) -> None:
    assert sorted(names(*builds, order=order)) == sorted(builds)


def moment(second: int) -> datetime:
    return datetime(2026, 11, 20) + timedelta(seconds=second)


def text_of(records: list[tuple[int, str]]) -> str:
    return "\n".join(["ts,build,code", *(f"{moment(second)},{build},7" for second, build in records)])


def expected_builds(records: list[tuple[int, str]]) -> list[tuple[Any, ...]]:
    rows = []
    for rank, build in enumerate(sorted({build for _, build in records}, key=version_key), start=1):
        seconds = sorted(second for second, of in records if of == build)
        later = [second for second in seconds if second >= seconds[0] + ESTABLISHED_SECONDS]
        is_established = len(seconds) >= ESTABLISHED_RECORDS and later
        since = max(seconds[ESTABLISHED_RECORDS - 1], later[0]) if is_established else None
        places = (seconds[0], since, seconds[-1])
        rows.append((build, rank, *(None if at is None else moment(at) for at in places), "", "version"))
    return rows


stray = st.tuples(st.integers(0, 40), st.sampled_from(["5.9", "5.10", "5.10-rc1"]))
late = st.tuples(st.integers(0, 90_000), st.sampled_from(["5.9", "5.10"]))
portions = st.lists(st.lists(stray | late, min_size=1, max_size=30), min_size=1, max_size=4)


@pytest.mark.slow
@tries(25)
@given(portions)
def test_builds_do_not_depend_on_the_order_of_batches(one_shop: Shop, batches: list[list[tuple[int, str]]]) -> None:
    one_shop.clear()
    for number, batch in enumerate(batches):
        one_shop.feed_text(text_of(batch), name=f"{number}.csv", same_content="load")
        read = [record for batch in batches[: number + 1] for record in batch]
        assert one_shop.rows("select * from builds order by version_rank") == expected_builds(read)
    pairs = one_shop.rows("select build, code from codes order by all")
    assert pairs == sorted({(build, "7") for batch in batches for _, build in batch})
    for path in one_shop.folder.glob("*.csv"):
        path.unlink()


def test_late_records_move_the_second_by_which_a_build_was_established(shop: Shop) -> None:
    seconds = "select since_second from builds"
    shop.feed_text(text_of([(100, "5.9")] * 19), name="1.csv")
    assert shop.rows(seconds) == [(None,)]
    shop.feed_text(text_of([(90_000, "5.9")]), name="2.csv")
    assert shop.rows(seconds) == [(moment(90_000),)]
    shop.feed_text(text_of([(90_001, "5.9")]), name="3.csv")
    assert shop.rows(seconds) == [(moment(90_000),)]
    shop.feed_text(text_of([(130, "5.9")]), name="4.csv")
    assert shop.rows(seconds) == [(moment(130),)]
    shop.feed_text(text_of([(50, "5.9")] * 2), name="5.csv")
    assert shop.rows(seconds) == [(moment(100),)]


def test_hours_of_builds_add_up(shop: Shop) -> None:
    shop.feed_text(text_of([(0, "5.9"), (3599, "5.9"), (3600, "5.9"), (10, "5.10")]), name="1.csv")
    shop.feed_text(text_of([(3700, "5.9"), (5, "5.10"), (-1, "5.10")]), name="2.csv")
    hour = int(moment(0).replace(tzinfo=UTC).timestamp())
    assert shop.rows("from build_hours order by all") == [
        ("5.10", hour - 3600, 1),
        ("5.10", hour, 2),
        ("5.9", hour, 2),
        ("5.9", hour + 3600, 2),
    ]


def test_a_new_build_ranks_among_the_others(shop: Shop) -> None:
    for number, build in enumerate(["5.10", "5.9", "5.10-rc1"]):
        shop.feed_text(text_of([(number, build)]), name=f"{number}.csv")
    assert shop.rows("select build, version_rank from builds order by version_rank") == [
        ("5.9", 1),
        ("5.10-rc1", 2),
        ("5.10", 3),
    ]


@pytest.mark.parametrize(("count", "seconds"), [(19, 30), (20, 29), (20, 30)])
def test_a_build_is_established_by_records_that_span_a_time(shop: Shop, count: int, seconds: int) -> None:
    shop.feed_text(text_of([(5, "5.9")] * (count - 1) + [(5 + seconds, "5.9")]))
    expected = moment(35) if (count, seconds) == (20, 30) else None
    assert shop.rows("select since_second from builds") == [(expected,)]
