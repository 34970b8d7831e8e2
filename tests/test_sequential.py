"""The SQL of `sequential` against the same rule in plain Python."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from sqlalchemy import Connection

from streammetrics import detect
from streammetrics.config import Config
from streammetrics.exposure import exposure_rows
from streammetrics.intervals import ratio_interval
from tests import sequential_oracle
from tests.oracle import Key, Record
from tests.sequential_oracle import Evidence
from tests.sequential_streams import regression, sequential_config
from tests.streams import clear, clock, empty_store, load, second_of, select, tries

ALERTS = """
select
    rule, baseline, candidate, code, window_bins, stop_ts, start_ts, end_ts, value, baseline_errors, candidate_errors,
    ratio, exposure, candidate_share, dispersion, ratio_low, ratio_high
from alerts where state = 'current'
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def told(store: Connection) -> dict[Key, tuple[Any, ...]]:
    """What is stored of the alerts that hold."""
    return {
        Key(rule, baseline, candidate, code, bins, second_of(stop)): (second_of(start), second_of(end), *figures)
        for rule, baseline, candidate, code, bins, stop, start, end, *figures in select(store, ALERTS)
    }


def assert_agrees(found: dict[Key, tuple[Any, ...]], expected: dict[Key, Evidence]) -> None:
    """Figures are stored rounded: they are what the oracle's exact ones are rounded to."""
    assert found.keys() == expected.keys()
    for key, (start, end, value, b, k, ratio, exposure, share, dispersion, low, high) in found.items():
        wanted = expected[key]
        assert (start, end, b, k, exposure) == (wanted.start, wanted.end, *wanted[3:5], wanted.exposure)
        assert value == pytest.approx(wanted.value, abs=1.5e-9, rel=0)
        assert share == pytest.approx(wanted.candidate_share, abs=0.51e-6, rel=0)
        assert dispersion == pytest.approx(wanted.dispersion, abs=0.51e-3, rel=0)
        assert (ratio is None) == (wanted.ratio is None)
        if ratio is not None:
            assert ratio == pytest.approx(wanted.ratio, abs=0.51e-6, rel=1e-8)
        bounds = ratio_interval(b, k, share, round(wanted.tested_share, 6), dispersion)
        assert low == pytest.approx(bounds[0], abs=1e-5, rel=1e-5)
        assert high == (bounds[1] if bounds[1] is None else pytest.approx(bounds[1], abs=1e-5, rel=1e-5))


def judged(store: Connection, records: list[Record], config: Config, *, is_final: bool = False) -> dict[Key, Any]:
    clear(store)
    load(store, records)
    detect.judge(store, config, clock, is_final=is_final)
    return told(store)


@tries(15)
@given(st.integers(0, 10**9))
def test_one_pass_finds_what_the_oracle_finds(store: Connection, seed: int) -> None:
    dice = random.Random(seed)
    stream, config, is_final = regression(dice), sequential_config(dice), dice.random() < 0.5
    note(f"{stream}\n{config}\n{is_final=}")
    expected = sequential_oracle.alerts(stream.records, config, exposure_rows(config), is_final=is_final)
    assert_agrees(judged(store, stream.records, config, is_final=is_final), expected)
