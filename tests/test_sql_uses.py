"""The two uses of one text: views over all history, and queries composed over a slice of time, which agree."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row

from streammetrics.config import Comparison, Config, DetectSettings, Rule, SequentialRule
from streammetrics.detect import passes
from streammetrics.store import views
from streammetrics.store.connection import Store
from streammetrics.store.views import Slice, compose
from tests.oracles.mean_rules import Record
from tests.streams import clock, load

pytestmark = pytest.mark.slow

CONFIG = Config(
    comparison=(
        Comparison(exposure="estimated"),
        Comparison(baseline="5.9", candidate="5.11", exposure="estimated"),
        Comparison(baseline="earlier"),
    ),
    rule=(
        Rule(name="ratio", detector="mean_ratio", bin_seconds=30, window_bins=(2, 5), threshold=1.1),
        Rule(name="difference", detector="mean_difference", bin_seconds=70, window_bins=(3,), threshold=0.2),
        SequentialRule(
            name="regression", detector="sequential", bin_seconds=60, history_seconds=900, false_alarm_days_per_code=1
        ),
    ),
    detect=DetectSettings(lateness_seconds=7, merge_seconds=60, reopen_seconds=0),
)
EVERY_SERIES = views.for_people("evidence")["suspects"]

PAIRS = (("5.9", "5.10"), ("5.10", "5.11"), ("5.9", "5.11"))
FROM, UNTIL = 1_000_003, 1_000_003 + 8 * 3600
SILENT_FROM, SILENT_UNTIL = FROM + 3_000, FROM + 15_000
"""Build 5.9 is silent for longer than a slice of the reference rules looks back; 5.11 appears after that."""
WORSE_FROM, WORSE_UNTIL = UNTIL - 10_000, UNTIL - 8_000
"""Of one code build 5.10 sends more."""


def stream() -> list[Record]:
    dice = random.Random(5)
    received = {"5.9": FROM, "5.10": FROM + 600, "5.11": UNTIL - 4_000}
    usual = [
        Record(second, build, dice.choice(("7", "-17", "E_TIMEOUT")))
        for second in sorted(dice.randrange(FROM, UNTIL) for _ in range(2_000))
        for build in [dice.choice([build for build, since in received.items() if since <= second])]
        if build != "5.9" or not SILENT_FROM <= second < SILENT_UNTIL
    ]
    worse = [Record(second, "5.10", "-17") for second in range(WORSE_FROM, WORSE_UNTIL, 10)]
    # A new code, sent where nothing is judged.
    return [*usual, *worse, Record(SILENT_FROM + 6_000, "5.10", "E_NEW")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A store whose stream was judged, open to read."""
    store = Store(tmp_path_factory.mktemp("uses") / "s.duckdb")
    with store.write() as connection:
        load(connection, stream())
        passes.judge(connection, CONFIG, clock)
    with store.read() as connection:
        yield connection


def rows(store: Connection, query: str) -> list[str]:
    return sorted(map(repr, store.exec_driver_sql(query).fetchall()))


def test_every_view_can_be_read_and_has_rows(store: Connection) -> None:
    assert [name for name in views.relations() if not rows(store, f"select 1 from {name} limit 1")] == []


@pytest.mark.parametrize("piece", [None, Slice(0, 2_000_000, 0)], ids=["without a slice", "slice of everything"])
def test_composed_is_the_view(store: Connection, piece: Slice | None) -> None:
    different = []
    for relation in views.relations():
        query = f"select * from {relation}"
        composed = compose(query, piece, is_final=False, **views.for_people(relation))
        if rows(store, composed) != rows(store, query):
            different.append(relation)
    assert different == []


def test_none_but_suspects_increase(store: Connection) -> None:
    query = "select * from increases"
    found = rows(store, compose(query, suspects=EVERY_SERIES))
    assert found == rows(store, query)
    assert found
    # Not all are looked at.
    suspects, every = (
        rows(store, compose(f"select series from {looked_at}"))
        for looked_at in ("suspects", f"({views.for_people('evidence')['suspects']})")
    )
    assert set(suspects) < set(every)


@pytest.fixture(scope="module")
def fired(store: Connection) -> list[Row[Any]]:
    """All that fires, as the view says."""
    found = list(store.exec_driver_sql("select * from fired").fetchall())
    assert {(row.rule, row.baseline, row.candidate) for row in found} == {
        *((rule, *pair) for rule in ("ratio", "difference") for pair in PAIRS),
        ("regression", "5.9", "5.10"),
    }
    return found


def test_slices_fire_as_the_view(store: Connection, fired: list[Row[Any]]) -> None:
    different = []
    for after in range(FROM - 1_000, UNTIL, 1_700):
        for until in (after + 1, after + 90, after + 3_000):
            query = f"select * from fired where end_second > {after} and end_second <= {until}"
            piece = Slice(after, until, passes.lead_seconds(CONFIG))
            expected = [row for row in fired if after < row.end_second <= until]
            if rows(store, compose(query, piece)) != sorted(map(repr, expected)):
                different.append((after, until))
    assert different == []


def test_nothing_fires_in_a_silence(fired: list[Row[Any]]) -> None:
    silent = [row for row in fired if row.baseline == "5.9" and SILENT_FROM < row.stop_second < SILENT_UNTIL]
    assert silent == []


def test_views_of_earlier_versions_go_and_others_stay(tmp_path: Path) -> None:
    with Store(tmp_path / "s.duckdb").write() as connection, connection.begin():
        views.publish(connection)
        connection.exec_driver_sql("create view counters_wide as select 1 as one")
        connection.exec_driver_sql("create view eras as select 1 as one")
        connection.exec_driver_sql("update store_info set views_hash = 'another'")
        views.publish(connection)
        found = connection.exec_driver_sql("select view_name from duckdb_views() where not internal").scalars().all()
    assert set(found) == {*views.relations(), "counters_wide"}
