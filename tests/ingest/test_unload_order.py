"""Whatever was loaded and judged before: once it is unloaded, the alerts are those of one pass over the rest."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.detect import passes
from streammetrics.ingest import unload
from tests.oracles.mean_rules import Record
from tests.sequential_streams import regression, sequential_config
from tests.streams import batches, clear, clock, configs, current_alerts, empty_store, load, select, streams, tries

KINDS = ("in order", "by build", "shuffled", "stragglers")
BUILDS = "select * from builds"
CODES = "select * exclude (repeat_batch_id) from codes"
ALERTS = """
select * exclude (alert_id, incident_id, revision, run_id, created_at, updated_at) from alerts where state = 'current'
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def outcome(store: Connection) -> dict[str, Any]:
    current_alerts(store)
    return {"alerts": select(store, ALERTS), "builds": select(store, BUILDS), "codes": select(store, CODES)}


def one_pass(store: Connection, portions: list[list[Record]], config: Config) -> dict[str, Any]:
    clear(store)
    for portion in portions:
        load(store, portion)
    passes.judge(store, config, clock)
    return outcome(store)


def unload_and_compare(store: Connection, portions: list[list[Record]], config: Config, dice: random.Random) -> None:
    """One of the portions is loaded, judged, removed, and loaded again; each time with the alerts of one pass."""
    gone = dice.randrange(len(portions))
    seconds, is_final = dice.choice((None, 700, 3600)), dice.random() < 0.3
    note(f"{gone=} {seconds=} {is_final=}")
    without = one_pass(store, [portion for place, portion in enumerate(portions) if place != gone], config)
    whole = one_pass(store, portions, config)
    clear(store)
    ids = []
    for portion in portions:
        load(store, portion)
        ids += [row[0] for row in select(store, "select max(batch_id) from batches")]
        if dice.random() < 0.7:
            passes.judge(store, config, clock, portion_seconds=seconds)
    passes.judge(store, config, clock, portion_seconds=seconds, is_final=is_final)
    with store.begin():
        unload.remove(store, [ids[gone]], clock())
    passes.judge(store, config, clock, portion_seconds=seconds)
    assert outcome(store) == without
    load(store, portions[gone])
    passes.judge(store, config, clock, portion_seconds=seconds)
    assert outcome(store) == whole


@pytest.mark.slow
@tries(10)
@given(stream=streams(), config=configs(), kind=st.sampled_from(KINDS), seed=st.integers(0, 10**9))
def test_of_means(store: Connection, stream: list[Record], config: Config, kind: str, seed: int) -> None:
    dice = random.Random(seed)
    unload_and_compare(store, batches(stream, dice.randint(1, 3), kind, seed), config, dice)


@pytest.mark.slow
@tries(4)
@given(seed=st.integers(0, 10**9))
def test_of_sequential(store: Connection, seed: int) -> None:
    dice = random.Random(seed)
    stream, config = regression(dice), sequential_config(dice)
    portions = batches(stream.records, dice.randint(2, 3), dice.choice(KINDS), seed)
    unload_and_compare(store, portions, config, dice)
