"""Silence is no health: what an incident needs to be over is that its pair sent records, and was judged."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from sqlalchemy import Connection

from streammetrics.config import Comparison, Config, DetectSettings, Exposure, Rule
from streammetrics.detect import passes
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, clear, clock, empty_store, load, moment_of, select

pytestmark = pytest.mark.slow

A, B, C = "5.9", "5.10", "5.11"
MERGE_SECONDS = 30
CONFIG = Config(
    rule=(Rule(name="difference", detector="mean_difference", bin_seconds=10, window_bins=(1,), threshold=1),),
    detect=DetectSettings(merge_seconds=MERGE_SECONDS, reopen_seconds=0),
)
# From second 60 to 100 the newer build sends three times as much: one incident, which ends at 100.
REGRESSION = [Record(MONDAY + s, build, "7") for build in (A, B) for s in range(110)] + [
    Record(MONDAY + s, B, "7") for s in range(60, 100) for _ in range(2)
]


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def calm(first: int, stop: int, *builds: str) -> list[Record]:
    return [Record(MONDAY + s, build, "7") for s in range(first, stop) for build in builds]


def states(store: Connection, *portions: list[Record], config: Config = CONFIG, is_final: bool = False) -> list[str]:
    """The state of the incident of the first two builds after each portion was loaded and judged."""
    clear(store)
    found = []
    for portion in portions:
        load(store, portion)
        passes.judge(store, config, clock, is_final=is_final)
        found += [state for (state,) in select(store, f"select state from incidents where baseline = '{A}'")]
    return found


@pytest.mark.parametrize("received", [(), (A,), (B,)], ids=["both stop", "the candidate stops", "the baseline stops"])
@pytest.mark.parametrize("is_final", [False, True])
def test_an_incident_stays_open_while_a_feed_is_stalled(
    store: Connection, received: tuple[str, ...], is_final: bool
) -> None:
    assert states(store, REGRESSION, calm(110, 3000, *received), is_final=is_final) == ["open", "open"]


def test_a_record_after_a_pause_settles_nothing(store: Connection) -> None:
    """Of two hours one record was received; only what is judged after it counts."""
    straggler, more, enough = calm(7300, 7301, A, B), calm(7301, 7315, A, B), calm(7315, 7330, A, B)
    assert states(store, REGRESSION, straggler, more, enough) == ["open", "open", "open", "resolved"]


def test_a_pause_of_one_build_holds_the_pair_up(store: Connection) -> None:
    rest = calm(110, 7300, A)
    assert states(store, REGRESSION + rest, calm(7300, 7301, A, B), calm(7301, 7400, A, B)) == [
        "open", "open", "resolved",
    ]  # fmt: skip


def test_pauses_of_both_builds_count_once_where_they_overlap(store: Connection) -> None:
    """Silent until 5,000 and until 7,300: both send before, for 10 s, and after, for 25."""
    portions = REGRESSION, calm(5000, 7300, A), calm(7300, 7320, A, B), calm(7320, 7325, A, B)
    assert states(store, *portions) == ["open", "open", "open", "resolved"]
    pauses = select(store, "select epoch(from_ts)::bigint, epoch(until_ts)::bigint from pauses")
    assert sum(until - start for start, until in pauses) == 7300 - 110


def test_in_one_pass_and_in_portions_it_ends_alike(store: Connection) -> None:
    portions = [REGRESSION, calm(200, 210, A, B), calm(7300, 7301, B), calm(7295, 7301, A), calm(7301, 7320, A, B)]
    progress = "select judged_until, settled_until from progress"
    stepwise = states(store, *portions), select(store, progress)
    together = [record for portion in portions for record in portion]
    whole = states(store, together), select(store, progress)
    assert (stepwise[0][-1:], stepwise[1]) == whole
    clear(store)
    load(store, together)
    passes.judge(store, CONFIG, clock, portion_seconds=100)
    assert select(store, progress) == whole[1]
    assert whole[1][0][1] < moment_of(MONDAY + 7320 - 7000)


def test_late_records_fill_a_pause(store: Connection) -> None:
    late = calm(110, 7300, A, B)
    assert states(store, REGRESSION, calm(7300, 7301, A, B), late) == ["open", "open", "resolved"]
    assert select(store, "select * from pauses where until_ts > timestamp '2026-11-23 00:02:00'") == []


def test_a_newer_build_ends_no_pair(store: Connection) -> None:
    """It is settled by its own builds alone: not because a newer one appeared, and not by the time of that."""
    portions = REGRESSION, calm(110, 150, B, C), calm(150, 900, B, C), calm(110, 900, A)
    assert states(store, *portions, is_final=True) == ["open", "open", "open", "resolved"]


def test_a_pair_whose_build_has_gone_is_superseded_and_goes_on_where_it_comes_back(store: Connection) -> None:
    portions = REGRESSION, calm(110, 3600, A), calm(7200, 8200, A), calm(8200, 8400, A, B), calm(8400, 8500, A, B)
    assert states(store, *portions) == ["open", "open", "superseded", "resolved", "resolved"]


def test_a_named_pair_waits_for_its_own_builds(store: Connection) -> None:
    config = CONFIG.model_copy(update={"comparison": (Comparison(baseline=A, candidate=B),)})
    assert states(store, REGRESSION, calm(110, 500, A, C), config=config) == ["open", "open"]


EQUAL_USERS = (Exposure(build=A, users=100.0), Exposure(build=B, users=100.0))
GIVEN = CONFIG.model_copy(update={"exposure": EQUAL_USERS})
HEALTHY = [Record(MONDAY + s, A, "7") for s in range(0, 40, 2)] + [Record(MONDAY + 7200, A, "7")]
"""Twenty errors that establish the build, and one two hours later."""
BAD = [Record(MONDAY + s, B, "7") for s in range(0, 40, 2)]
BAD += [Record(MONDAY + s, B, "404") for s in range(12_000, 14_000, 5) for _ in range(2)]


@pytest.mark.parametrize("named", [False, True], ids=["the build before it", "a build that is named"])
def test_a_build_that_has_users_and_sends_no_error_is_healthy(store: Connection, named: bool) -> None:
    """And the other one is worse, as soon as it sends errors."""
    comparison = Comparison(baseline=A, candidate=B) if named else Comparison()
    given = GIVEN.model_copy(update={"comparison": (comparison,)})
    assert states(store, HEALTHY + BAD, config=given) == ["open"]
    unknown = given.model_copy(update={"exposure": EQUAL_USERS[:1]})
    assert states(store, HEALTHY + BAD, config=unknown) == []


def test_a_named_build_that_never_sent_an_error_is_healthy_where_it_has_users(store: Connection) -> None:
    named = {"comparison": (Comparison(baseline=A, candidate=B),)}
    assert states(store, BAD, config=GIVEN.model_copy(update=named)) == ["open", "resolved"], "code 404, and at first 7"
    assert states(store, BAD, config=CONFIG.model_copy(update=named)) == []


def test_a_build_that_sent_many_errors_and_none_any_more_is_silent(store: Connection) -> None:
    """However many users it has: its feed failed."""
    busy = [Record(MONDAY + s, A, "7") for s in range(0, 11_990, 10)]
    assert states(store, busy + BAD, config=GIVEN) == []


def test_silence_by_exposure_ends_alike_in_steps_and_in_portions(store: Connection) -> None:
    """A silence that was judged becomes a gap as it grows; a slice knows of the hour before it."""
    busy = [Record(MONDAY + s, A, "7") for s in range(0, 9000, 100)] + [Record(MONDAY + 40_000, A, "7")]
    worse = [Record(MONDAY + s, B, "404") for s in range(9000, 60_000, 20) for _ in range(2)]
    records = busy + BAD[:20] + worse
    progress = "select judged_until, settled_until from progress"
    alerts = "select code, start_ts, stop_ts, value from alerts where state = 'current'"
    states(store, records, config=GIVEN)
    whole = select(store, alerts), select(store, progress)
    assert 100 < len(whole[0]) < 4000
    edges = [0, 9100, 9800, 10_200, 12_000, 30_000, 41_000, 60_000]
    parts = [[r for r in records if since <= r.second - MONDAY < until] for since, until in pairwise(edges)]
    states(store, *parts, config=GIVEN)
    assert (select(store, alerts), select(store, progress)) == whole
    clear(store)
    load(store, records)
    passes.judge(store, GIVEN, clock, portion_seconds=2000)
    assert (select(store, alerts), select(store, progress)) == whole
