"""The order of versions, and `builds` as a function of all counters, in whatever order they came."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streammetrics.versions import ESTABLISHED_RECORDS, version_key
from tests.ingest.feeding import Shop
from tests.streams import tries

ORDER = [
    "alpha",
    "nightly.7",
    "",
    "E_X",
    "main",
    "\U0001f4a5",
    "1.0-alpha",
    "1.0-alpha.1",
    "1.0-beta.2",
    "1.0-beta.11",
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


def test_versions_are_in_natural_order() -> None:
    assert sorted(set(ORDER), key=version_key) == ORDER


def test_builds_that_look_alike_are_told_apart_by_their_text() -> None:
    alike = ["1-0", "1.0", "1.00", "1_0"]
    assert sorted(set(alike), key=version_key) == alike


@given(st.lists(st.text(), min_size=2, max_size=6))
def test_any_text_has_a_place(builds: list[str]) -> None:
    keys = sorted(version_key(build) for build in builds)
    assert [build for _, build in keys] == sorted(builds, key=version_key)
    assert len({version_key(build) for build in builds}) == len(set(builds))


def text_of(records: list[tuple[int, str]]) -> str:
    start = datetime(2026, 11, 20)
    return "\n".join(
        ["ts,build,code", *(f"{start + timedelta(seconds=second)},{build},7" for second, build in records)]
    )


def expected_builds(records: list[tuple[int, str]]) -> list[tuple[Any, ...]]:
    start = datetime(2026, 11, 20)
    rows = []
    for rank, build in enumerate(sorted({build for _, build in records}, key=version_key), start=1):
        seconds = sorted(second for second, of in records if of == build)
        since = seconds[ESTABLISHED_RECORDS - 1] if len(seconds) >= ESTABLISHED_RECORDS else None
        places = (seconds[0], since, seconds[-1])
        rows.append((build, rank, *(None if at is None else start + timedelta(seconds=at) for at in places)))
    return rows


stray = st.tuples(st.integers(0, 40), st.sampled_from(["5.9", "5.10", "5.10-rc1"]))
late = st.tuples(st.integers(0, 90_000), st.sampled_from(["5.9", "5.10"]))
portions = st.lists(st.lists(stray | late, min_size=1, max_size=30), min_size=1, max_size=4)


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
    seconds = "select since_second::text from builds"
    shop.feed_text(text_of([(100, "5.9")] * 19), name="1.csv")
    assert shop.rows(seconds) == [(None,)]
    shop.feed_text(text_of([(90_000, "5.9")]), name="2.csv")
    assert shop.rows(seconds) == [("2026-11-21 01:00:00",)]
    shop.feed_text(text_of([(90_001, "5.9")]), name="3.csv")
    assert shop.rows(seconds) == [("2026-11-21 01:00:00",)]
    shop.feed_text(text_of([(50, "5.9")]), name="4.csv")
    assert shop.rows(seconds) == [("2026-11-20 00:01:40",)]
    shop.feed_text(text_of([(10, "5.9")] * 20), name="5.csv")
    assert shop.rows(seconds) == [("2026-11-20 00:00:10",)]


def test_a_new_build_ranks_among_the_others(shop: Shop) -> None:
    for number, build in enumerate(["5.10", "5.9", "5.10-rc1"]):
        shop.feed_text(text_of([(number, build)]), name=f"{number}.csv")
    assert shop.rows("select build, version_rank from builds order by version_rank") == [
        ("5.9", 1),
        ("5.10-rc1", 2),
        ("5.10", 3),
    ]


@pytest.mark.parametrize("count", [19, 20])
def test_records_of_one_second_count_each(shop: Shop, count: int) -> None:
    shop.feed_text(text_of([(5, "5.9")] * count))
    assert Counter(second is None for (second,) in shop.rows("select since_second from builds")) == {count < 20: 1}
