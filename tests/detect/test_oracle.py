"""The SQL of the rules against the same rules in plain Python, on streams that try to be awkward."""

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from streammetrics.config import Comparison, Config, DetectSettings, Rule
from streammetrics.detect import passes
from tests.oracles import mean_rules
from tests.oracles.mean_rules import ALWAYS, Finding, Key, Pair, Record, Stream
from tests.streams import MONDAY, clear, clock, configs, current_alerts, empty_store, load, streams, tries


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


@pytest.mark.slow
@tries(50)
@given(streams(), configs(), st.booleans())
def test_one_pass_finds_what_the_oracle_finds(
    store: Connection, records: list[Record], config: Config, is_final: bool
) -> None:
    clear(store)
    load(store, records)
    passes.judge(store, config, clock, is_final=is_final)
    assert current_alerts(store) == mean_rules.alerts(records, config, is_final=is_final)


@pytest.mark.slow
@tries(20)
@given(streams(), configs(), st.integers(0))
def test_a_mean_that_equals_the_threshold_is_not_above_it(
    store: Connection, records: list[Record], config: Config, choice: int
) -> None:
    """Each rule's threshold is a mean that windows of the stream attain."""
    every = mean_rules.alerts(records, with_thresholds(config, {rule.name: -1e9 for rule in config.rule}))
    thresholds = {}
    for rule in config.rule:
        means = sorted({found.value for key, found in every.items() if key.rule == rule.name})
        thresholds[rule.name] = float(means[choice % len(means)]) if means else rule.threshold
    tied = with_thresholds(config, thresholds)
    clear(store)
    load(store, records)
    passes.judge(store, tied, clock)
    expected = {key: found for key, found in every.items() if found.value > Fraction(repr(thresholds[key.rule]))}
    assert current_alerts(store) == expected


@pytest.mark.slow
@pytest.mark.parametrize("shift", range(10))
def test_every_edge_meets_the_edge_of_a_bin(store: Connection, shift: int) -> None:
    """Builds that are established, fall silent, come back and end, moved along the bins second by second."""
    records = [Record(record.second + shift, record.build, record.code) for record in EDGES]
    for is_final in (False, True):
        clear(store)
        load(store, records)
        passes.judge(store, EDGES_CONFIG, clock, is_final=is_final)
        found = current_alerts(store)
        assert found == mean_rules.alerts(records, EDGES_CONFIG, is_final=is_final)
        assert {(key.rule, key.baseline, key.candidate) for key in found} == {
            (rule, *pair) for rule in ("ratio", "difference") for pair in ((A, B), (A, C), (B, C))
        }


@pytest.mark.slow
def test_previous_of_a_candidate_that_is_not_the_latest(store: Connection) -> None:
    config = EDGES_CONFIG.model_copy(update={"comparison": (Comparison(candidate=B),)})
    clear(store)
    load(store, EDGES)
    passes.judge(store, config, clock)
    found = current_alerts(store)
    assert found == mean_rules.alerts(EDGES, config)
    assert {(key.baseline, key.candidate) for key in found if key.stop >= MONDAY + 600} == {(A, B)}


def with_thresholds(config: Config, thresholds: dict[str, float]) -> Config:
    rules = tuple(rule.model_copy(update={"threshold": thresholds[rule.name]}) for rule in config.rule)
    return config.model_copy(update={"rule": rules})


# What the oracle itself says, by hand.

A, B, C = "5.9", "5.10", "5.11"
RATIO = Rule(name="ratio", detector="mean_ratio", bin_seconds=10, window_bins=(2,), threshold=0.5)
DIFFERENCE = Rule(name="difference", detector="mean_difference", bin_seconds=10, window_bins=(1,), threshold=1)
BOTH = Comparison(baseline=A, candidate=B)

EDGES = [
    Record(MONDAY + second, build, code)
    for build, code, seconds in (
        # After 200 in the hour a silence of 360 s is a gap.
        (A, "7", [*range(200), *range(560, 580), *range(700, 720)]),
        (B, "7", [*range(30, 200), *range(60, 600, 2), *range(540, 600), *range(700, 719)]),
        (C, "8", [*range(555, 600), *range(575, 600), *range(700, 716)]),
    )
    for second in seconds
]
EDGES_CONFIG = Config(
    rule=(
        RATIO.model_copy(update={"window_bins": (1, 3), "threshold": 0.3}),
        DIFFERENCE.model_copy(update={"bin_seconds": 7, "window_bins": (1, 2, 4), "threshold": 0.5}),
    ),
    comparison=(Comparison(), Comparison(baseline=A, candidate=C)),
    detect=DetectSettings(lateness_seconds=1),
)


def test_oracle_bin_of_ratios() -> None:
    # Baseline 2 and candidate 3: 0.15; only the candidate: 0.5; only the baseline: 0; four more active seconds: 0.4.
    assert mean_rules.bin_value(RATIO, [(2, 3), (0, 1), (4, 0)], 7) == 1_050_000_000_000


def test_oracle_rounds_each_ratio_to_twelve_decimals() -> None:
    thirds = [(3, 1), (3, 1), (3, 2)]
    assert mean_rules.bin_value(RATIO, thirds, 3) == 33_333_333_333 + 33_333_333_333 + 66_666_666_667


def test_oracle_bin_of_differences() -> None:
    assert mean_rules.bin_value(DIFFERENCE, [(2, 3), (0, 1), (4, 0)], 7) == -2 * 10**12


def test_oracle_windows_by_hand() -> None:
    # Three bins with 1, 2 and 4 errors of the candidate; the last ends after the baseline's last record.
    times = {A: [0, 12, 20], B: [1, 13, 14, 20, 21, 22, 23]}
    records = [Record(second, build, "7") for build, seconds in times.items() for second in seconds]
    found = mean_rules.alerts(records, Config(rule=(RATIO, DIFFERENCE), comparison=(BOTH,)))
    # Bins of 0 / 1 / 10 + 0.5 and 0 / 1 / 10 + 0.5 + 0.5; differences of 0, 1 and, not complete, 3.
    assert found == {Key("ratio", A, B, "7", 2, 10): Finding(0, 20, Fraction(3, 4), 2, 3, Fraction(3, 2))}


def test_oracle_last_bin_is_complete_when_the_input_is_over() -> None:
    records = [Record(second, build, "7") for build, second in ((A, 0), (B, 20), (B, 21), (A, 24))]
    config = Config(rule=(DIFFERENCE,), comparison=(Comparison(baseline=A, candidate=B),))
    assert mean_rules.alerts(records, config) == {}
    records.append(Record(22, B, "7"))
    assert mean_rules.alerts(records, config, is_final=True) == {
        Key("difference", A, B, "7", 1, 20): Finding(20, 30, Fraction(2), 1, 3, Fraction(3))
    }


def test_oracle_gaps_by_hand() -> None:
    # 20 in the hour before: 3,600 s are one gap too much, 3,599 s are not.
    records = [Record(second, A, "7") for second in range(20)]
    assert Stream((*records, Record(3619, A, "7"))).gaps == {A: []}
    assert Stream((*records, Record(3620, A, "7"))).gaps == {A: [(20, 3620, False)]}


def test_oracle_pairs_by_hand() -> None:
    since = {A: range(31), B: range(100, 131), C: range(5, 24)}
    stream = Stream(tuple(Record(second, build, "7") for build, seconds in since.items() for second in seconds))
    assert stream.since == {A: 30, B: 130}
    assert stream.openings([Comparison()]) == {Pair(A, B): 130}
    assert stream.openings([Comparison(candidate=C)]) == {Pair(B, C): 30}
    assert stream.openings([Comparison(baseline=C, candidate=B)]) == {Pair(C, B): ALWAYS}
    assert stream.openings([Comparison(builds="5.1?")]) == {}
