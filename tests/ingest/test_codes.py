"""`codes` as a function of all counters, in whatever order and portions they came."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streammetrics.store import builds
from tests.ingest.feeding import Shop
from tests.streams import tries

START = datetime(2026, 11, 20)

Records = list[tuple[int, str, str]]


def text_of(records: Records) -> str:
    return "\n".join(
        ["ts,build,code", *(f"{START + timedelta(seconds=second)},{build},{code}" for second, build, code in records)]
    )


def figures(shop: Shop) -> list[tuple[Any, ...]]:
    """The table, with seconds behind the start in place of times."""
    rows = shop.rows("select * from codes order by build, code")
    return [
        (build, code, *((at - START) // timedelta(seconds=1) for at in (first, last)), *counts)
        for build, code, first, last, *counts in rows
    ]


def expected(batches: dict[int, Records]) -> list[tuple[Any, ...]]:
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for batch_id, records in sorted(batches.items()):
        for second, build, code in records:
            found[build, code].append((batch_id, second))
    rows = []
    for (build, code), sent in sorted(found.items()):
        seconds = [second for _, second in sent]
        repeat = next((batch_id for batch_id, second in sent if second != seconds[0]), None)
        rows.append((build, code, min(seconds), max(seconds), len(sent), len(set(seconds)), repeat))
    return rows


records = st.lists(
    st.tuples(st.sampled_from((0, 1, 2, 59, 60, 61, 4000)), st.sampled_from(["5.9", "5.10"]), st.sampled_from("78")),
    min_size=1, max_size=12,
)  # fmt: skip


@pytest.mark.slow
@tries(30)
@given(st.lists(st.lists(records, min_size=1, max_size=3), min_size=1, max_size=4), st.booleans())
def test_figures_do_not_depend_on_the_order_of_batches(
    one_shop: Shop, runs: list[list[Records]], is_rebuilt: bool
) -> None:
    """Each run reads some files in one transaction; files of later runs hold earlier, later and the same seconds."""
    one_shop.clear()
    batches: dict[int, Records] = {}
    for run, files in enumerate(runs):
        paths = [one_shop.write(f"{run}-{place}.csv", text_of(found).encode()) for place, found in enumerate(files)]
        for outcome, found in zip(one_shop.feed(*paths, same_content="load"), files, strict=True):
            assert outcome.batch_id is not None, outcome
            batches[outcome.batch_id] = found
        assert figures(one_shop) == expected(batches)
    for path in one_shop.folder.glob("*.csv"):
        path.unlink()
    with one_shop.connection.begin():
        builds.count_codes(one_shop.connection)
        if is_rebuilt:
            builds.rebuild(one_shop.connection)
    assert figures(one_shop) == expected(batches)
    assert one_shop.rows("from codes_counted order by all") == one_shop.rows("from codes order by all")


def test_what_is_read_again_is_not_counted_again(shop: Shop) -> None:
    text = text_of([(0, "5.9", "7"), (1, "5.9", "7")])
    shop.feed_text(text, name="1.csv")
    before = figures(shop)
    assert before == [("5.9", "7", 0, 1, 2, 2, before[0][-1])]
    assert shop.feed_text(text, name="2.csv").state == "skipped"
    assert shop.feed_text(text, name="1.csv").state == "skipped"
    assert figures(shop) == before


def test_a_grown_file_adds_what_it_grew_by(shop: Shop) -> None:
    shop.feed_text(text_of([(5, "5.9", "7")]) + "\n", name="1.csv")
    assert figures(shop) == [("5.9", "7", 5, 5, 1, 1, None)]
    grown = text_of([(5, "5.9", "7"), (5, "5.9", "7"), (6, "5.9", "7")]) + "\n"
    batch_id = shop.feed_text(grown, name="1.csv").batch_id
    assert figures(shop) == [("5.9", "7", 5, 6, 3, 2, batch_id)]
