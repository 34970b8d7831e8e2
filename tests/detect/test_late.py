"""Late records judge again what they touch, and behind `late_limit_days` nothing."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from streammetrics.config import Comparison, Config, DetectSettings, Rule, SequentialRule
from streammetrics.detect import passes
from streammetrics.store.statements import run
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, clear, clock, current_alerts, empty_store, load, moment_of, second_of, select, tries

pytestmark = pytest.mark.slow

DAY = 86400
OLD, NEW = "5.9", "5.10"
RULE = Rule(name="difference", detector="mean_difference", bin_seconds=10, window_bins=(1,), threshold=1)
CONFIG = Config(
    rule=(RULE,),
    comparison=(Comparison(baseline=OLD, candidate=NEW),),
    detect=DetectSettings(late_limit_days=2),
)


@pytest.fixture(scope="module")
def one_store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


@pytest.fixture
def store(one_store: Connection) -> Connection:
    """Five days were judged."""
    clear(one_store)
    load(one_store, [record for day in range(5) for record in hour(day)])
    passes.judge(one_store, CONFIG, clock)
    return one_store


def hour(day: int) -> list[Record]:
    return [Record(MONDAY + day * DAY + s, build, "7") for s in range(0, 3600, 5) for build in (OLD, NEW)]


def errors(second: int, number: int = 20) -> list[Record]:
    return [Record(MONDAY + second, NEW, "7")] * number


def stops(store: Connection) -> set[int]:
    return {key.stop - MONDAY for key in current_alerts(store)}


def test_nothing_is_judged_anew_for_what_is_too_late(store: Connection) -> None:
    load(store, errors(2 * DAY + 1800))
    done = passes.judge(store, CONFIG, clock)
    assert (done.after, done.until, stops(store)) == (None, None, set())
    assert select(store, "select sum(errors)::bigint from counters where code = '7'") == [(5 * 1440 + 20,)]


def test_what_is_in_time_is_judged_and_what_is_too_late_beside_it_is_not(store: Connection) -> None:
    load(store, errors(DAY + 1800) + errors(3 * DAY + 1800) + hour(5))
    done = passes.judge(store, CONFIG, clock)
    assert stops(store) == {3 * DAY + 1800}
    assert done.after == MONDAY + 3 * DAY + 1800 - 3600


def test_what_was_never_judged_is_judged_however_old(store: Connection) -> None:
    """By other rules, or of another comparison."""
    load(store, errors(1800))
    passes.judge(store, CONFIG, clock)
    assert stops(store) == set()
    changed = CONFIG.model_copy(update={"rule": (RULE.model_copy(update={"threshold": 1.5}),)})
    passes.judge(store, changed, clock)
    assert stops(store) == {1800}


def test_status_counts_what_came_too_late(store: Connection) -> None:
    load(store, errors(DAY + 1800, 7) + errors(3 * DAY + 1800, 5))
    with store.begin():
        store.exec_driver_sql(
            "update batches set loaded_at = loaded_at + interval 1 minute\n"
            "where batch_id = (select max(batch_id) from batches)"
        )
    passes.judge(store, CONFIG, clock)

    def counted(since: timedelta) -> int:
        with store.begin():
            return int(run(store, "reports/late_records", {"since": clock() - since}).scalar_one())

    assert select(store, "select max(watermark) from runs") == [(moment_of(MONDAY + 4 * DAY + 3595),)]
    assert counted(timedelta(days=1)) == 7
    assert counted(timedelta(days=-1)) == 0


def scopes(store: Connection) -> list[tuple[int, int]]:
    """What the latest pass judged, in seconds since Monday."""
    rows = select(store, "select run_id, scope_start, scope_end from runs where scope_start is not null")
    return [(second_of(start) - MONDAY, second_of(end) - MONDAY) for _, start, end in rows]


def test_a_late_record_judges_what_looks_back_on_it_and_no_more(store: Connection) -> None:
    before = len(scopes(store))
    load(store, errors(2 * DAY + 1800 + 3600 * 24) + hour(5))
    done = passes.judge(store, CONFIG, clock)
    (late, new) = scopes(store)[before:]
    second = 3 * DAY + 1800
    assert late[0] == second - 3600
    assert second < late[1] <= second + 4 * 3600
    assert new == (4 * DAY + 3595, 5 * DAY + 3595)
    assert (done.after, done.until) == (MONDAY + late[0], MONDAY + new[1])


def test_a_late_record_leaves_the_pauses_behind_it_as_they_are(store: Connection) -> None:
    """Ninety seconds after a night without records nothing from before it is settled."""
    settled = "select judged_until, settled_until from progress"
    load(store, hour(5)[:38])
    passes.judge(store, CONFIG, clock)
    before = select(store, settled)
    assert before == [(moment_of(MONDAY + 5 * DAY + 90), moment_of(MONDAY + 4 * DAY + 3595 + 91))]
    load(store, errors(3 * DAY + 1800))
    passes.judge(store, CONFIG, clock)
    assert select(store, settled) == before


def test_late_records_that_establish_a_build_judge_all_since(store: Connection) -> None:
    """A third build sends 19 records in one bin of Wednesday and one on Friday; 20 of Tuesday come late."""
    config = CONFIG.model_copy(update={"comparison": (Comparison(),), "detect": DetectSettings()})
    wednesday, friday = MONDAY + 2 * DAY + 1800, MONDAY + 4 * DAY + 3000
    third = [Record(wednesday + n % 10, "5.11", "8") for n in range(19)] + [Record(friday, "5.11", "7")]
    late = [Record(MONDAY + DAY + 1200 + 10 * n, "5.11", "7") for n in range(20)]
    for records in (third, late):
        load(store, records)
        passes.judge(store, config, clock)
    found = current_alerts(store)
    clear(store)
    load(store, [record for day in range(5) for record in hour(day)] + third + late)
    passes.judge(store, config, clock)
    assert found == current_alerts(store)
    assert wednesday in {key.stop for key in found}


@pytest.fixture(scope="module")
def other_store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


@tries(3)
@given(st.integers(0, 10**9))
def test_late_records_of_any_day_end_with_the_alerts_of_one_pass(
    one_store: Connection, other_store: Connection, seed: int
) -> None:
    """Five days at 25 records an hour and build; increases on any of them, of which some of the records come late."""
    dice = random.Random(seed)
    records = []
    for build in (OLD, NEW):
        for code in ("7", "8"):
            times = sorted(dice.uniform(0, 5 * DAY) for _ in range(1500))
            records += [Record(MONDAY + int(second), build, code) for second in times]
    for _ in range(6):
        begin, length = dice.randrange(4 * DAY), dice.choice((300, 3600, 10000))
        records += [Record(MONDAY + begin + dice.randrange(length), NEW, "7") for _ in range(dice.choice((5, 40, 300)))]
    config = Config(
        rule=(
            RULE.model_copy(update={"bin_seconds": 60, "window_bins": (3,)}),
            SequentialRule(name="s", detector="sequential", false_alarm_days_per_code=1, history_seconds=3000),
        ),
        comparison=(Comparison(baseline=OLD, candidate=NEW, exposure=dice.choice(("equal", "estimated"))),),
    )
    late = {record for record in records if record.second > MONDAY + 7200 and dice.random() < 0.02}
    clear(one_store)
    load(one_store, [record for record in records if record not in late])
    passes.judge(one_store, config, clock)
    waiting = sorted(late, key=lambda _: dice.random())
    for number in range(3):
        load(one_store, [record for record in records if record in set(waiting[number::3])])
        passes.judge(one_store, config, clock)
    clear(other_store)
    load(other_store, records)
    passes.judge(other_store, config, clock)
    assert current_alerts(one_store) == current_alerts(other_store)
