"""In whatever order records and exposure come, `sequential` ends with the alerts of one pass over all, bit for bit."""

import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from sqlalchemy import Connection

from streammetrics.config import Comparison, Config, Exposure, SequentialRule
from streammetrics.detect import passes
from tests.oracles.mean_rules import Record
from tests.sequential_streams import (
    EQUAL,
    LAST_RARE,
    NEW,
    OLD,
    RARE_RULE,
    Feed,
    Flow,
    Regression,
    rare_errors,
    regression,
    sequential_config,
)
from tests.streams import MONDAY, batches, clear, clock, empty_store, load, moment_of, select, tries

pytestmark = pytest.mark.slow

HOUR = 3600
ALERTS = """
select * exclude (alert_id, incident_id, revision, run_id, created_at, updated_at) from alerts where state = 'current'
"""
INCIDENTS = "select * exclude (incident_id) from incidents"
PROGRESS = "select rule, baseline, candidate, settings_hash, judged_until, settled_until from progress"


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def outcome(store: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {"alerts": select(store, ALERTS), "incidents": select(store, INCIDENTS), "progress": select(store, PROGRESS)}


def everything(store: Connection) -> dict[str, list[tuple[Any, ...]]]:
    relations = ("alerts", "progress", "incidents", "rules", "hypotheses", "comparisons", "exposure", "settings")
    return {relation: select(store, f"select * from {relation}") for relation in relations}


def one_pass(store: Connection, records: list[Record], config: Config, **options: Any) -> dict[str, Any]:
    clear(store)
    load(store, records)
    passes.judge(store, config, clock, **options)
    return outcome(store)


@tries(8)
@given(st.integers(0, 10**9))
def test_any_order_ends_with_the_alerts_of_one_pass(store: Connection, seed: int) -> None:
    dice = random.Random(seed)
    stream, config, is_final = regression(dice), sequential_config(dice), dice.random() < 0.5
    kind = dice.choice(("in order", "shuffled", "stragglers", "by build"))
    portion_seconds = dice.choice((None, 1000, 3600))
    note(f"{stream}\n{config}\n{kind=} {portion_seconds=} {is_final=}")
    expected = one_pass(store, stream.records, config, is_final=is_final)

    clear(store)
    for number, batch in enumerate(batches(stream.records, dice.randint(2, 3), kind, seed)):
        load(store, batch)
        # Each time more is known of how many users the builds had.
        known = config.model_copy(update={"exposure": config.exposure[: 2 * number]})
        passes.judge(store, known, clock, portion_seconds=portion_seconds)
    passes.judge(store, config, clock, is_final=is_final, portion_seconds=portion_seconds)
    assert outcome(store) == expected

    before = everything(store)
    passes.judge(store, config, clock, is_final=is_final, portion_seconds=portion_seconds)
    assert everything(store) == before


def rule(name: str, bin_seconds: int, history_seconds: int) -> SequentialRule:
    return SequentialRule(
        name=name,
        detector="sequential",
        bin_seconds=bin_seconds,
        history_seconds=history_seconds,
        false_alarm_days_per_code=1,
    )


@pytest.mark.parametrize("exposure", ["estimated", None])
def test_a_slice_holds_all_that_its_figures_are_made_of(store: Connection, exposure: Any) -> None:
    """Slices of portions begin in mid-history, not in blocks that dispersion or exposure are estimated from."""
    flows = (
        Flow("7", 0.2, 12, burst=8, since=7 * HOUR),
        Flow("E", 0.1, burst=6),
        Flow("-17", 0.04, 6, since=6 * HOUR),
        Flow("404", 0.1),
    )
    stream = Regression(8 * HOUR, flows, (Feed(OLD, silence=range(4000, 4600)), Feed(NEW, users=0.4)), seed=1)
    users = (Exposure(build=OLD, users=1000.0), Exposure(build=NEW, users=400.0))
    config = Config(comparison=(Comparison(exposure=exposure),), rule=(rule("a", 60, 600),), exposure=users)
    expected = one_pass(store, stream.records, config)
    assert {row[4] for row in expected["alerts"] if row[6] > moment_of(MONDAY + 25_000)} == {"7", "-17"}
    assert one_pass(store, stream.records, config, portion_seconds=HOUR) == expected


def test_a_slice_holds_the_hour_that_thresholds_are_estimated_from(store: Connection) -> None:
    """However short the history is."""
    flows = (Flow("7", 0.08, 4, since=4000), Flow("E", 0.1), Flow("404", 0.1))
    stream = Regression(5000, flows, (Feed(OLD), Feed(NEW)), seed=1)
    config = Config(rule=(rule("a", 10, 300).model_copy(update={"false_alarm_days_per_code": 100}),), comparison=EQUAL)
    expected = one_pass(store, stream.records, config)
    thresholds = {row[10] for row in expected["alerts"]}
    assert math.log10(8640) < min(thresholds) < max(thresholds) == pytest.approx(math.log10(864_000))
    assert one_pass(store, stream.records, config, portion_seconds=1500) == expected


def test_a_slice_holds_the_history_of_errors_whose_evidence_stands(store: Connection) -> None:
    """They came before the slice begins, and all of their history counts."""
    config, records = Config(rule=(RARE_RULE,), comparison=EQUAL), rare_errors()
    expected = one_pass(store, records, config)
    assert max(row[6] for row in expected["alerts"]) > moment_of(MONDAY + LAST_RARE + HOUR - 120)
    assert one_pass(store, records, config, portion_seconds=HOUR) == expected


def test_exposure_that_becomes_known_later_is_judged_from_its_time_on(store: Connection) -> None:
    """A rollout to six times the users looks like a regression of every code until these are configured."""
    flows = (Flow("7", 0.5, 6, since=1800), Flow("404", 0.3, 6, since=1800), Flow("E", 0.2, 30, since=1800))
    stream = Regression(3000, flows, (Feed(OLD), Feed(NEW)), seed=4)
    equal = (Exposure(build=OLD, users=10.0), Exposure(build=NEW, users=10.0))
    given = (*equal, Exposure(build=NEW, users=60.0, since=moment_of(MONDAY + 1800)))
    before, after = (Config(rule=(rule("a", 10, 600),), exposure=users) for users in (equal, given))
    assert {row[4] for row in one_pass(store, stream.records, before)["alerts"]} == {"7", "404", "E"}
    expected = one_pass(store, stream.records, after)
    assert {row[4] for row in expected["alerts"]} == {"E"}
    for configs in ((before, after), (after, before, after)):
        clear(store)
        load(store, stream.records)
        for config in configs:
            passes.judge(store, config, clock)
        assert outcome(store) == expected
