"""The SQL of `sequential` against the same rule in plain Python."""

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
from streammetrics.detect.intervals import ratio_interval
from streammetrics.sources import exposure as given_users
from tests.oracles import sequential
from tests.oracles.mean_rules import Key, Record
from tests.oracles.sequential import Evidence
from tests.sequential_streams import (
    EQUAL,
    LAST_RARE,
    NEW,
    NEWER,
    OLD,
    RARE_RULE,
    Feed,
    Flow,
    Regression,
    rare_errors,
    regression,
    sequential_config,
)
from tests.streams import MONDAY, clear, clock, empty_store, load, moment_of, second_of, select, tries

pytestmark = pytest.mark.slow

ALERTS = """
select
    rule, baseline, candidate, code, window_bins, stop_ts, start_ts, end_ts, value, threshold, baseline_errors,
    candidate_errors, ratio, exposure, candidate_share, dispersion, ratio_low, ratio_high
from alerts where state = 'current'
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def reported(store: Connection) -> dict[Key, tuple[Any, ...]]:
    """What is stored of the alerts that hold."""
    return {
        Key(rule, baseline, candidate, code, bins, second_of(stop)): (second_of(start), second_of(end), *figures)
        for rule, baseline, candidate, code, bins, stop, start, end, *figures in select(store, ALERTS)
    }


def assert_agrees(found: dict[Key, tuple[Any, ...]], expected: dict[Key, Evidence]) -> None:
    """Figures are stored rounded: they are what the oracle's exact ones are rounded to."""
    assert found.keys() == expected.keys()
    for key, (start, end, value, threshold, b, k, ratio, exposure, share, dispersion, low, high) in found.items():
        wanted = expected[key]
        assert (start, end, b, k, exposure) == (wanted.start, wanted.end, *wanted[4:6], wanted.exposure)
        assert value == pytest.approx(wanted.value, abs=1.5e-9, rel=0)
        assert threshold == pytest.approx(wanted.threshold, abs=1.5e-9, rel=0)
        assert share == pytest.approx(wanted.candidate_share, abs=0.51e-6, rel=0)
        assert dispersion == pytest.approx(wanted.dispersion, abs=0.51e-3, rel=0)
        assert (ratio is None) == (wanted.ratio is None)
        if ratio is not None:
            assert ratio == pytest.approx(wanted.ratio, abs=0.51e-6, rel=1e-8)
        bounds = ratio_interval(b, k, share, round(wanted.tested_share, 6), dispersion)
        # Shares are stored with six decimals.
        assert low == pytest.approx(bounds[0], abs=1e-5, rel=1e-5 + 1e-6 / share)
        assert high == (bounds[1] if bounds[1] is None else pytest.approx(bounds[1], abs=1e-5, rel=1e-5))


def judged(store: Connection, records: list[Record], config: Config, *, is_final: bool = False) -> dict[Key, Any]:
    clear(store)
    load(store, records)
    passes.judge(store, config, clock, is_final=is_final)
    return reported(store)


@tries(15)
@given(st.integers(0, 10**9))
def test_one_pass_finds_what_the_oracle_finds(store: Connection, seed: int) -> None:
    dice = random.Random(seed)
    stream, config, is_final = regression(dice), sequential_config(dice), dice.random() < 0.5
    note(f"{stream}\n{config}\n{is_final=}")
    expected = sequential.alerts(stream.records, config, given_users.read(config).rows, is_final=is_final)
    assert_agrees(judged(store, stream.records, config, is_final=is_final), expected)


DAY_RULE = SequentialRule(name="r", detector="sequential", false_alarm_days_per_code=1, history_seconds=3000)
STEADY = Regression(2400, (Flow("7", 0.5), Flow("E", 0.3)), (Feed(OLD), Feed(NEW)), seed=3)


def first_stop(found: dict[Key, Any], code: str) -> int:
    """How far into the stream the first alert of a code is."""
    return min(key.stop for key in found if key.code == code) - MONDAY


@pytest.mark.parametrize("rate", [0.5, 0.1])
def test_an_increase_in_the_first_minutes_of_a_comparison_is_found(store: Connection, rate: float) -> None:
    """Before anything is known of bursts an error counts for little, not for nothing."""
    stream = Regression(1500, (Flow("7", rate, 8), Flow("E", 0.3), Flow("404", 0.3)), (Feed(OLD), Feed(NEW)), seed=1)
    config = Config(rule=(DAY_RULE,), comparison=EQUAL)
    found = judged(store, stream.records, config)
    assert_agrees(found, sequential.alerts(stream.records, config))
    assert {key.code for key in found} == {"7"}
    assert first_stop(found, "7") <= 60 / rate + 300


CALM = Regression(2400, (Flow("7", 0.02), Flow("E", 0.3), Flow("404", 0.3)), (Feed(OLD), Feed(NEW)), seed=3)


@pytest.mark.parametrize("errors", [83, 500])
def test_a_burst_of_one_client_is_no_increase_whatever_its_size(store: Connection, errors: int) -> None:
    """Within seconds they count for little, within a minute they are brief, over ten minutes they are an increase."""
    found, enough = {}, {}
    for seconds in (3, 60, 600):
        new = [Record(MONDAY + 1500 + seconds * number // errors, NEW, "7") for number in range(errors)]
        found[seconds] = judged(store, CALM.records + new, Config(rule=(DAY_RULE,), comparison=EQUAL))
        enough[seconds] = select(store, "select is_brief from regressions where code = '7' and is_enough")
        assert_agrees(found[seconds], sequential.alerts(CALM.records + new, Config(rule=(DAY_RULE,), comparison=EQUAL)))
    assert found[3] == found[60] == {}
    assert {key.code for key in found[600]} == {"7"}
    assert enough[3] == []
    assert set(enough[60]) == {(True,)}


@pytest.mark.parametrize("min_ratio", [1, 1.5])
def test_a_release_that_goes_to_more_users_is_no_increase(store: Connection, min_ratio: float) -> None:
    """Of five codes all become six times as frequent at once, and one of them twenty-four times."""
    rates = {"7": 0.5, "E": 0.3, "404": 0.4, "-17": 0.3, "new": 0.3}
    flows = tuple(Flow(code, rate, 24 if code == "-17" else 6, since=2400) for code, rate in rates.items())
    stream = Regression(4500, flows, (Feed(OLD, users=0.9), Feed(NEW, users=0.1)), seed=4)
    config = Config(rule=(DAY_RULE.model_copy(update={"min_ratio": min_ratio}),))
    found = judged(store, stream.records, config)
    assert_agrees(found, sequential.alerts(stream.records, config))
    # The code 0 is as frequent in the build of few users.
    assert {key.code for key in found} == {"-17", "0"}
    held = select(store, "select distinct code from regressions where is_enough and is_traffic and not is_brief")
    assert {code for (code,) in held} >= {"7", "E", "404"}


WEIGHTS = """
select code, weight from weights inner join bins using (series, block)
where candidate = '5.11' and block = (select min(block) from bins where candidate = '5.11')
"""


@pytest.mark.parametrize("burst", [1, 8])
def test_what_an_earlier_comparison_showed_of_a_code_holds_from_the_first_bin_of_the_next(
    store: Connection, burst: int
) -> None:
    flows = (Flow("7", 0.3, burst=burst), Flow("E", 0.3), Flow("404", 0.3), Flow("-17", 0.3))
    stream = Regression(3000, flows, (Feed(OLD), Feed(NEW), Feed(NEWER, since=2400)), seed=2)
    config = Config(rule=(DAY_RULE,), comparison=EQUAL)
    assert_agrees(judged(store, stream.records, config), sequential.alerts(stream.records, config))
    weights = {code: weight for code, weight in select(store, WEIGHTS) if code != "0"}
    bursty = weights.pop("7")
    assert weights.keys() == {"E", "404", "-17"}
    assert min(weights.values()) > 0.3
    assert (bursty < 0.5 * min(weights.values())) == (burst > 1)


def test_what_a_spike_leaves_behind_goes_on(store: Connection) -> None:
    """A spike that has ended would explain all: only what came after its end counts."""
    spiked = Regression(3600, (Flow("7", 0.5, 20, since=1800, until=2100), Flow("E", 0.3)), (Feed(OLD), Feed(NEW)), 5)
    left = Regression(3600, (Flow("7", 0.5, 3, since=1800),), (Feed(OLD), Feed(NEW)), 6)
    config = Config(rule=(DAY_RULE,), comparison=EQUAL)
    counts = []
    for records in (spiked.records, spiked.records + left.records):
        found = judged(store, records, config)
        assert_agrees(found, sequential.alerts(records, config))
        counts.append(sum(key.stop >= MONDAY + 2400 for key in found if key.code == "7"))
    assert counts[0] == 0
    assert counts[1] >= 30


def test_smaller_increases_behind_a_large_one_end_as_well(store: Connection) -> None:
    """And none of them is missed: the rule looks for two ends, and what began since counts."""
    increases = ((40, 1800, 2400), (8, 3600, 4800), (10, 6600, 7500))
    flows = [Flow("7", 0.5, times, since=since, until=until) for times, since, until in increases]
    streams = [Regression(9000, (flow, Flow("E", 0.3)), (Feed(OLD), Feed(NEW)), 5) for flow in flows]
    config = Config(rule=(DAY_RULE,), comparison=EQUAL)
    records = [record for stream in streams for record in stream.records]
    found = judged(store, records, config)
    assert_agrees(found, sequential.alerts(records, config))
    stops = sorted(key.stop - MONDAY for key in found if key.code == "7")
    for _, since, until in increases:
        near = [stop for stop in stops if since <= stop < until + 600]
        assert near[0] <= since + 600
        assert until - 60 <= near[-1] <= until + 240
    assert all(any(since <= stop < until + 600 for _, since, until in increases) for stop in stops)


@pytest.mark.parametrize("exposure", ["equal", "estimated"])
@pytest.mark.parametrize(("baseline", "candidate"), [(0, 10**9), (10**9, 0), (10**9, 10**9), (10**9, 1), (1, 10**9)])
def test_any_number_of_errors_in_a_second_has_finite_figures(
    store: Connection, exposure: Any, baseline: int, candidate: int
) -> None:
    """After it has come, while it is in the history, and when it is a block that dispersion is estimated from."""
    # Records in every second: after so many errors a second without any is a gap.
    received = [Record(MONDAY + second, build, "received") for second in range(2400) for build in (OLD, NEW)]
    clear(store)
    load(store, STEADY.records + received)
    with store.begin():
        for second in (1500, 1620, 1740):
            for build, errors in ((OLD, baseline), (NEW, candidate)):
                moment = moment_of(MONDAY + second)
                store.exec_driver_sql("insert into counters values (?, ?, 'E', ?, 1)", (moment, build, errors))
    # Errors of three bins are brief unless two are enough.
    rule = DAY_RULE.model_copy(update={"min_bins": 2})
    passes.judge(store, Config(rule=(rule,), comparison=(Comparison(exposure=exposure),)), clock)
    found = [
        row
        for row in select(store, "select code, value, ratio, ratio_low, ratio_high, dispersion from alerts")
        if row[0] == "E"
    ]
    assert all(math.isfinite(figure) for row in found for figure in row[1:] if figure is not None)
    # More than half of all errors are the stream: what they say of exposure is believed.
    assert exposure == "estimated" or bool(found) == (candidate > baseline)
    evidence = select(store, "select total, least_total, top_total, nats, threshold from evidence")
    increases = select(store, "select value, doubt, spread_bins, missed_errors from regressions")
    assert all(math.isfinite(figure) for row in [*evidence, *increases] for figure in row if figure is not None)


@pytest.mark.parametrize("bin_seconds", [60, 70])
def test_evidence_stands_for_an_hour_after_the_last_error(store: Connection, bin_seconds: int) -> None:
    """Errors are so rare that none is missed by then. The last bin begins within the hour."""
    config = Config(rule=(RARE_RULE.model_copy(update={"bin_seconds": bin_seconds}),), comparison=EQUAL)
    records = rare_errors()
    found = judged(store, records, config)
    assert_agrees(found, sequential.alerts(records, config))
    assert {key.code for key in found} == {"7"}
    last = (MONDAY + LAST_RARE) // bin_seconds * bin_seconds
    assert sorted(key.stop for key in found) == [*range(last, last + 3600, bin_seconds)]


def test_a_build_without_any_error_of_a_code_has_no_ratio(store: Connection) -> None:
    new = [Record(MONDAY + second, NEW, "new") for second in range(1800, 2400, 12)]
    judged(store, [*STEADY.records, *new], Config(rule=(DAY_RULE,), comparison=EQUAL))
    rows = select(store, "select code, baseline_errors, ratio, ratio_high, ratio_low > 1, exposure from alerts")
    assert set(rows) == {("new", 0, None, None, True, "equal")}
    # An error of a new code is worth nearly ln 2 at equal shares, here about half of that: it takes ln 8640.
    assert min(select(store, "select candidate_errors from alerts"))[0] in range(27, 36)


def test_the_ratio_that_is_most_above_its_threshold_counts(store: Connection) -> None:
    """Not the one with the most evidence. What each takes goes with the errors of the hour before."""
    flows = (Flow("7", 0.05, 2.2, since=3600), Flow("E", 0.1), Flow("404", 0.1))
    stream = Regression(7200, flows, (Feed(OLD), Feed(NEW)), seed=1)
    rule = DAY_RULE.model_copy(update={"false_alarm_days_per_code": 100, "history_seconds": 6000})
    found = judged(store, stream.records, Config(rule=(rule,), comparison=EQUAL))
    assert_agrees(found, sequential.alerts(stream.records, Config(rule=(rule,), comparison=EQUAL)))
    assert {key.code for key in found} == {"7"}
    counted = select(store, "select distinct rate_ratio from regressions where is_enough")
    assert counted == [(2.0,), (3.0,)]


def test_blocks_before_the_last_180_are_forgotten_and_wide_bins_are_blocks(store: Connection) -> None:
    """Seven hours that begin with bursts, which dispersion is estimated from for six hours."""
    flows = (Flow("7", 0.02, 6, since=24_400), Flow("E", 0.05, 4, burst=6, since=24_000), Flow("404", 0.05))
    stream = Regression(26_000, flows, (Feed(OLD), Feed(NEW)), seed=6)
    bursts = [Record(MONDAY + second, NEW, "7") for second in range(600, 1800, 120) for _ in range(40)]
    rule = DAY_RULE.model_copy(update={"false_alarm_days_per_code": 30})
    rules = (rule.model_copy(update={"name": f"r{width}", "bin_seconds": width}) for width in (60, 130, 300))
    config = Config(rule=tuple(rules), comparison=EQUAL)
    records = [*stream.records, *bursts]
    expected = sequential.alerts(records, config)
    found = judged(store, records, config)
    assert_agrees(found, expected)
    assert {key.rule for key in found} == {"r60", "r130", "r300"}


@pytest.mark.parametrize("last", [13_000, 7240], ids=["and one more", "and none more"])
def test_a_build_that_has_users_and_hardly_an_error_is_no_failed_feed(store: Connection, last: int) -> None:
    """The other one is worse within minutes."""
    healthy = [Record(MONDAY + s, OLD, "7") for s in (*range(0, 40, 4), *range(7200, 7240, 4), last)]
    bad = [Record(MONDAY + s, NEW, "7") for s in range(0, 40, 2)]
    bad += [Record(MONDAY + s, NEW, "404") for s in range(12_000, 13_200, 2)]
    users = (Exposure(build=OLD, users=100.0), Exposure(build=NEW, users=100.0))
    config = Config(rule=(DAY_RULE,), exposure=users)
    found = judged(store, healthy + bad, config)
    assert_agrees(found, sequential.alerts(healthy + bad, config, given_users.read(config).rows))
    assert first_stop(found, "404") < 12_000 + 600
