"""In whatever order records come, the alerts are those of one pass over all, and a pass repeated changes nothing."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from streammetrics.config import Comparison, Config, DetectSettings, Rule
from streammetrics.detect import passes
from streammetrics.store.views import PORTION_SECONDS
from tests.oracles.mean_rules import Key, Record
from tests.streams import (
    MONDAY,
    batches,
    clear,
    clock,
    configs,
    current_alerts,
    empty_store,
    load,
    moment_of,
    select,
    streams,
    tries,
)

pytestmark = pytest.mark.slow

INCIDENTS = """
select
    rule, detector, baseline, candidate, code, start_ts, stop_ts, end_ts, alerts, peak_value, threshold,
    baseline_errors, candidate_errors, ratio, state
from incidents
"""
PROGRESS = "select rule, baseline, candidate, settings_hash, judged_until, settled_until from progress"


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


@pytest.fixture(scope="module")
def other_store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def judge(store: Connection, config: Config, **options: Any) -> passes.Pass:
    return passes.judge(store, config, clock, **options)


class SwitchedOffError(Exception):
    """The machine was switched off between two portions."""


def judge_until_interrupted(store: Connection, config: Config, after: int, portion_seconds: int) -> None:
    """A pass that ends after so many portions, where it has as many."""

    def on_portion(done: int, total: int) -> None:
        if done == after:
            raise SwitchedOffError

    with suppress(SwitchedOffError):
        judge(store, config, on_portion=on_portion, portion_seconds=portion_seconds)


def records(build: str, first: int, number: int, step: int = 1, code: str = "7") -> list[Record]:
    """So many records of a build from a second of the day on."""
    return [Record(MONDAY + first + step * place, build, code) for place in range(number)]


def outcome(store: Connection) -> dict[str, Any]:
    return {
        "alerts": current_alerts(store),
        "incidents": select(store, INCIDENTS),
        "progress": select(store, PROGRESS),
    }


def assert_ends_like_one_pass(
    store: Connection, other_store: Connection, portions: list[list[Record]], config: Config
) -> dict[str, Any]:
    """Each portion is loaded and judged on its own. Returns how it ends."""
    clear(store)
    for portion in portions:
        load(store, portion)
        judge(store, config)
    clear(other_store)
    load(other_store, [record for portion in portions for record in portion])
    judge(other_store, config)
    ends = outcome(store)
    assert ends == outcome(other_store)
    return ends


def everything(store: Connection) -> dict[str, Any]:
    return {
        relation: select(store, f"select * from {relation}")
        for relation in ("alerts", "progress", "incidents", "rules", "comparisons", "settings")
    }


@tries(20)
@given(
    stream=streams(),
    config=configs(),
    number=st.integers(2, 5),
    kind=st.sampled_from(("in order", "shuffled", "stragglers", "by build")),
    seed=st.integers(0, 999),
    portion_seconds=st.sampled_from((PORTION_SECONDS, 3600, 7000)),
    is_final=st.booleans(),
    interrupted_after=st.sampled_from((None, 0, 1, 2)),
)
def test_any_order_ends_with_the_alerts_of_one_pass(
    store: Connection,
    other_store: Connection,
    stream: list[Record],
    config: Config,
    number: int,
    kind: str,
    seed: int,
    portion_seconds: int,
    is_final: bool,
    interrupted_after: int | None,
) -> None:
    clear(store)
    for batch in batches(stream, number, kind, seed):
        load(store, batch)
        if interrupted_after is not None:
            judge_until_interrupted(store, config, interrupted_after, portion_seconds)
        else:
            judge(store, config, portion_seconds=portion_seconds)
    judge(store, config, is_final=is_final, portion_seconds=portion_seconds)

    clear(other_store)
    load(other_store, stream)
    judge(other_store, config, is_final=is_final)
    assert outcome(store) == outcome(other_store)

    before = everything(store)
    judge(store, config, is_final=is_final, portion_seconds=portion_seconds)
    assert everything(store) == before


A, B, C = "5.9", "5.10", "5.11"
DIFFERENCE = Rule(name="difference", detector="mean_difference", bin_seconds=10, window_bins=(1, 3), threshold=1)
CONFIG = Config(rule=(DIFFERENCE,), detect=DetectSettings(merge_seconds=20, reopen_seconds=0))
BOTH = Comparison(baseline=A, candidate=B)
ONE_WINDOW = CONFIG.model_copy(
    update={"comparison": (BOTH,), "rule": (DIFFERENCE.model_copy(update={"window_bins": (1,)}),)}
)


def stops(alerts: Iterable[Key], *pair: str) -> set[int]:
    """Seconds of the day at which the last bins of alerts begin."""
    return {key.stop - MONDAY for key in alerts if not pair or (key.baseline, key.candidate) == pair}


def test_late_records_close_a_gap(store: Connection, other_store: Connection) -> None:
    """From before the first of them on: of a thousand silent seconds thirty are left, which are no gap."""
    early, late = records(A, 0, 1000) + records(A, 2000, 1000) + records(B, 0, 3000) * 2, records(A, 1030, 970)
    gap = set(range(1000, 2000, 10))
    assert not gap & stops(assert_ends_like_one_pass(store, other_store, [early], CONFIG)["alerts"])
    assert gap <= stops(assert_ends_like_one_pass(store, other_store, [early, late], CONFIG)["alerts"])


def test_a_late_record_halves_a_gap_that_began_an_hour_before_it(store: Connection, other_store: Connection) -> None:
    received = records(A, 8, 1) + records(A, 6000, 1) + records(B, 5, 700, 10) + records(B, 5, 3)
    for portions, expected in (([received], set()), ([received, records(A, 3609, 1)], {0})):
        assert stops(assert_ends_like_one_pass(store, other_store, portions, ONE_WINDOW)["alerts"]) == expected


def test_late_records_in_a_gap_that_began_hours_ago(store: Connection, other_store: Connection) -> None:
    """What they touch is read with two hours before it, and the other build fell silent before that."""
    received = records(A, 0, 300) + records(A, 18000, 300) + records(B, 0, 300) * 2 + records(B, 300, 1770, 10)
    ends = assert_ends_like_one_pass(store, other_store, [received, records(B, 16000, 100) * 3], CONFIG)
    assert stops(ends["alerts"]) == {*range(30, 300, 10)}


def test_late_records_establish_a_build_earlier(store: Connection, other_store: Connection) -> None:
    early = records(A, 0, 600) + records(B, 0, 600) * 3 + records(C, 105, 10) + records(C, 405, 195) * 5
    late = records(C, 205, 12) * 6
    for portions, first in (([early], 410), ([early, late], 210)):
        ends = assert_ends_like_one_pass(store, other_store, portions, CONFIG)
        assert stops(ends["alerts"], A, B) == {*range(30, 600, 10)} - {590}
        assert min(stops(ends["alerts"], B, C)) == first


def test_late_records_before_all_others_let_windows_begin_earlier(store: Connection, other_store: Connection) -> None:
    received, late = records(A, 100, 400) + records(B, 100, 400) * 4, records(A, 85, 1)
    config = CONFIG.model_copy(update={"comparison": (BOTH,)})
    for portions, first in (([received], 120), ([received, late], 100)):
        ends = assert_ends_like_one_pass(store, other_store, portions, config)
        assert min(stops(key for key in ends["alerts"] if key.window_bins == 3)) == first


def test_late_records_leave_a_pair_nothing(store: Connection, other_store: Connection) -> None:
    """A build between two others turns out to have sent more than the baseline; it sends nothing any more."""
    early, late = records(A, 1000, 300) + records(C, 1000, 300) * 3, records(B, 0, 400)
    assert stops(assert_ends_like_one_pass(store, other_store, [early], CONFIG)["alerts"], A, C)
    assert assert_ends_like_one_pass(store, other_store, [early, late], CONFIG)["alerts"] == {}


def test_a_new_pair_that_is_judged_from_long_ago_leaves_others_alone(
    store: Connection, other_store: Connection
) -> None:
    config = CONFIG.model_copy(update={"comparison": (BOTH, Comparison(baseline=A, candidate=C))})
    old, new = records(A, 0, 300) + records(B, 0, 300) * 3, records(C, 5000, 30)
    for more in ([], records(A, 300, 50) + records(B, 300, 50) * 3):
        ends = assert_ends_like_one_pass(store, other_store, [old, new + more], config)
        assert stops(ends["alerts"], A, B) == {*range(0, 340 if more else 290, 10)}


def test_incidents_are_superseded_once_a_build_has_gone_though_nothing_waits(
    store: Connection, other_store: Connection
) -> None:
    early = records(A, 0, 601) + records(B, 0, 651) * 3
    (first,) = assert_ends_like_one_pass(store, other_store, [early], CONFIG)["incidents"]
    (second,) = assert_ends_like_one_pass(store, other_store, [early, records(B, 7200, 100) * 3], CONFIG)["incidents"]
    assert (first[-1], second[-1]) == ("open", "superseded")
    assert first[:-1] == second[:-1]
    back = records(A, 8000, 400) + records(B, 8000, 400)
    ends = assert_ends_like_one_pass(store, other_store, [early, records(B, 7200, 100) * 3, back], CONFIG)
    assert [incident[-1] for incident in ends["incidents"]] == ["resolved"]


@pytest.mark.parametrize("comparison", [Comparison(), Comparison(baseline=A, candidate="6.1")])
def test_changed_settings_end_like_a_store_that_never_knew_others(
    store: Connection, other_store: Connection, comparison: Comparison
) -> None:
    clear(store)
    load(store, records(A, 0, 300) + records(B, 0, 300) * 3)
    judge(store, CONFIG.model_copy(update={"comparison": (BOTH,)}))
    changed = CONFIG.model_copy(update={"comparison": (comparison,)})
    judge(store, changed)
    clear(other_store)
    load(other_store, records(A, 0, 300) + records(B, 0, 300) * 3)
    judge(other_store, changed)
    assert outcome(store) == outcome(other_store)


def test_an_alert_that_is_withdrawn_and_found_again_stays_itself(store: Connection) -> None:
    def alerts() -> list[tuple[Any, ...]]:
        return select(store, "select alert_id - min(alert_id) over (), stop_ts, state, revision from alerts")

    clear(store)
    load(store, records(A, 0, 100, 10) + records(B, 0, 100, 10) + records(B, 50, 2))
    judge(store, ONE_WINDOW)
    at = moment_of(MONDAY + 50)
    assert alerts() == [(0, at, "current", 0)]
    load(store, records(A, 50, 1))
    judge(store, ONE_WINDOW)
    assert alerts() == [(0, at, "retracted", 1)]
    assert current_alerts(store) == {}
    load(store, records(A, 40, 1))
    judge(store, ONE_WINDOW)
    assert alerts() == [(0, at, "retracted", 1)]
    load(store, records(B, 50, 5))
    judge(store, ONE_WINDOW)
    assert alerts() == [(0, at, "current", 2)]
    assert [found.candidate_errors for found in current_alerts(store).values()] == [8]


def test_an_alert_that_a_threshold_withdrew_comes_back_with_it(store: Connection) -> None:
    clear(store)
    load(store, records(A, 0, 100, 10) + records(B, 0, 100, 10) + records(B, 50, 2))
    strict = ONE_WINDOW.model_copy(update={"rule": (ONE_WINDOW.rule[0].model_copy(update={"threshold": 9.0}),)})
    ends = []
    for config in (ONE_WINDOW, strict, ONE_WINDOW):
        judge(store, config)
        ends += select(store, "select alert_id - min(alert_id) over (), state, revision, threshold from alerts")
    assert ends == [(0, "current", 0, 1.0), (0, "retracted", 1, 1.0), (0, "current", 2, 1.0)]


def test_more_errors_of_the_candidate_alone_revise_an_alert(store: Connection) -> None:
    """The value of a second without errors of the baseline does not tell how many the candidate had."""
    ratio = Rule(name="ratio", detector="mean_ratio", bin_seconds=10, window_bins=(1,), threshold=0.4)
    config = ONE_WINDOW.model_copy(update={"rule": (ratio,)})
    clear(store)
    load(store, [*records(A, 0, 9, 10), *records(B, 0, 9, 10), Record(MONDAY + 51, B, "E")])
    ends = []
    for late in ([], [Record(MONDAY + 51, B, "E")] * 4):
        load(store, late)
        judge(store, config)
        ends += select(store, "select code, value, baseline_errors, candidate_errors, revision from alerts")
    assert ends == [("E", 0.6, 0, 1, 0), ("E", 0.6, 0, 5, 1)]


def test_an_incident_keeps_its_identity_when_late_records_extend_and_join_it(store: Connection) -> None:
    def incidents() -> list[tuple[Any, ...]]:
        rows = select(store, "select incident_id, start_ts, stop_ts, alerts from incidents")
        return sorted(rows, key=lambda row: row[1])

    def spikes(*seconds: int) -> list[Record]:
        return [record for second in seconds for record in records(B, second, 3)]

    def seen(start: int, stop: int) -> tuple[datetime, datetime]:
        return moment_of(MONDAY + start), moment_of(MONDAY + stop)

    clear(store)
    load(store, records(A, 0, 100, 10) + records(B, 0, 100, 10) + spikes(50, 60))
    judge(store, ONE_WINDOW)
    ((oldest, *first),) = incidents()
    assert first == [*seen(50, 60), 2]
    # As far apart as merge_seconds allow, and an incident of its own.
    load(store, spikes(20, 300))
    judge(store, ONE_WINDOW)
    extended, apart = incidents()
    assert extended == (oldest, *seen(20, 60), 3)
    assert apart[0] > oldest
    assert apart[1:] == (*seen(300, 300), 1)
    assert set(select(store, "select incident_id from alerts")) == {(oldest,), (apart[0],)}
    load(store, spikes(*range(90, 300, 30)))
    judge(store, ONE_WINDOW)
    assert incidents() == [(oldest, *seen(20, 300), 11)]
    # The younger incident is the older one from now on: nobody hears of it as withdrawn, or as resolved.
    assert select(store, "select distinct incident_id from alerts") == [(oldest,)]


def test_incidents_count_up_by_one_and_a_part_that_is_cut_off_gets_the_next_number(store: Connection) -> None:
    def incidents() -> list[tuple[Any, ...]]:
        return sorted(select(store, "select incident_id, start_ts, stop_ts from incidents"))

    def seen(start: int, stop: int) -> tuple[datetime, datetime]:
        return moment_of(MONDAY + start), moment_of(MONDAY + stop)

    clear(store)
    load(store, records(A, 0, 200, 10) + records(B, 0, 200, 10))
    load(store, [record for second in (50, 80, 110, 900) for record in records(B, second, 3)])
    judge(store, ONE_WINDOW)
    (first, *_), (second, *_) = incidents()
    assert incidents() == [(first, *seen(50, 110)), (first + 1, *seen(900, 900))]
    assert second == first + 1
    # The alert between them is withdrawn.
    load(store, records(A, 80, 3))
    judge(store, ONE_WINDOW)
    assert incidents() == [(first, *seen(50, 50)), (second, *seen(900, 900)), (second + 1, *seen(110, 110))]
    assert dict(select(store, "select stop_ts, incident_id from alerts"))[moment_of(MONDAY + 110)] == second + 1
    # Settings join and cut as well.
    wide = ONE_WINDOW.model_copy(update={"detect": DetectSettings(merge_seconds=60, reopen_seconds=0)})
    judge(store, wide)
    assert incidents() == [(first, *seen(50, 110)), (second, *seen(900, 900))]
    judge(store, ONE_WINDOW)
    assert incidents() == [(first, *seen(50, 50)), (second, *seen(900, 900)), (second + 2, *seen(110, 110))]


def test_windows_that_end_in_a_portion_without_records(store: Connection) -> None:
    clear(store)
    load(store, records(A, 85, 2, 915) + records(B, 85, 2, 915) + records(B, 86, 9))
    judge(store, CONFIG.model_copy(update={"comparison": (BOTH,)}), portion_seconds=100)
    found = {(key.window_bins, key.stop - MONDAY) for key in current_alerts(store)}
    assert found == {(1, 80), (1, 90), (3, 100), (3, 110)}


@pytest.mark.parametrize("portions", [0, 1, 2])
def test_a_pass_that_was_interrupted_is_made_up_for(store: Connection, other_store: Connection, portions: int) -> None:
    stream = records(A, 0, 2000, 5) + records(B, 0, 2000, 5) * 2
    late = records(A, 20, 10) + records(B, 9990, 30)
    clear(store)
    load(store, stream)
    judge_until_interrupted(store, CONFIG, portions, 3600)
    load(store, late)
    judge_until_interrupted(store, CONFIG, portions, 3600)
    judge(store, CONFIG)
    clear(other_store)
    load(other_store, stream + late)
    judge(other_store, CONFIG)
    assert outcome(store) == outcome(other_store)
    assert len(stops(current_alerts(store))) > 900
