"""The benchmark of detectors: its yardsticks are right, its streams are as described, it reads what a rule finds."""

from collections.abc import Callable

import numpy as np
import pytest

from bench.detection import delivery, measure, ours, peers, screened, sequential, simulate
from bench.detection.chances import binomial_log_tail
from bench.detection.families import CLIENTS, CODES, FAMILIES, MIXED, NULLS, RELEASE_CHANGES, RELEASES
from bench.detection.optimum import mean_delay
from bench.detection.streams import DAY_BINS, NEVER, START_SECOND, Change, Findings, Stream, chain, punctual
from bench.detection.timing import Timing

pytestmark = pytest.mark.slow


def stream(ratio: float, rate: float = 10, codes: int = 6, onset: int = 2160, bins: int = 2880) -> Stream:
    """Six quiet hours and two more, in which the first of the codes is changed."""
    chance = np.random.default_rng(7)
    means = np.full((codes, bins), rate)
    candidate = means.copy()
    candidate[0, onset:] *= ratio
    is_changed = np.arange(codes) == 0
    counts = simulate.poisson(chance, means), simulate.poisson(chance, candidate)
    return Stream(*punctual(*counts), change=Change(is_changed, onset, bins, ratio))


@pytest.mark.parametrize(
    ("rate", "ratio", "seconds"),
    [(1, 1.25, 926), (1, 1.5, 280), (1, 2, 89), (1, 5, 11.5), (0.1, 5, 99), (0.1, 2, 755), (10, 2, 10.3)],
)
def test_optimum_is_the_limit_that_is_known(rate: float, ratio: float, seconds: float) -> None:
    assert mean_delay(rate, ratio) == pytest.approx(seconds, rel=0.01)


def test_binomial_tail_is_exact() -> None:
    hits, trials, shares = np.array([9, 3, 60]), np.array([10, 3, 100]), np.array([0.5, 0.1, 0.5])
    assert np.exp(binomial_log_tail(hits, trials, shares)) == pytest.approx([11 / 1024, 0.001, 0.0284440], rel=1e-5)


@pytest.mark.parametrize("dispersion", [2, 10, 40])
def test_bursts_have_the_dispersion_that_is_set(dispersion: float) -> None:
    counts = simulate.bursts(np.random.default_rng(3), np.full((20, DAY_BINS), 10.0), dispersion)
    assert counts.mean() == pytest.approx(10, rel=0.03)
    assert simulate.dispersion(counts) == pytest.approx(dispersion, rel=0.08)


def test_single_records_have_dispersion_one() -> None:
    counts = simulate.poisson(np.random.default_rng(3), np.full((20, DAY_BINS), 10.0))
    assert simulate.dispersion(counts) == pytest.approx(1, rel=0.02)


def test_every_stream_is_the_same_each_time_and_unlike_the_next() -> None:
    first, again, other = (FAMILIES["step-1-x2"].stream(number).arrived()[1] for number in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_families_cover_what_is_requested() -> None:
    assert all(family.code_days >= 10_000 for family in NULLS if family.is_punctual and not family.is_estimated)
    assert all(family.code_days >= 2_000 for family in NULLS if not family.is_punctual)
    assert all(24 * family.code_days >= 10_000 for family in RELEASES)
    for name, hours in (("release-mixed", 300), ("release-mixed-after", 1500)):
        assert 24 * FAMILIES[name].code_days * len(MIXED) / CODES >= hours
    assert all(family.changes >= 200 for family in RELEASE_CHANGES)
    for family in CLIENTS:
        clients = family.stream(0).clients
        assert clients is not None
        assert family.code_days * DAY_BINS / family.stream(0).bins * clients.shape[1] >= 1000
    changed = FAMILIES["step-1-x2"].stream(0)
    assert changed.change is not None
    baseline, candidate = changed.arrived()
    parts = candidate.sum(axis=1) / (baseline + candidate).sum(axis=1)
    assert parts[changed.change.codes].min() > parts[~changed.change.codes].max()


def test_records_of_a_lagging_build_are_missing_at_the_pass_and_come_later() -> None:
    late = delivery.behind(5)(np.random.default_rng(1))
    (layer,) = late.layers
    missing = slice((4 * 3600 - 300) // 10, 4 * 3600 // 10)
    assert (layer.baseline_arrival[missing] > late.passes[0]).all()
    assert (layer.baseline_arrival[missing] <= late.passes[1]).all()
    assert (layer.candidate_arrival[missing] <= late.passes[0]).all()
    lost = delivery.behind(5, is_lost=True)(np.random.default_rng(1))
    assert (lost.layers[0].baseline_arrival[missing] == NEVER).all()
    assert lost.arrived()[0][:, missing].sum() == 0


def test_alerts_within_five_minutes_are_one_incident() -> None:
    code, start, stop = (np.array(column) for column in ([0, 0, 0, 1], [5, 36, 67, 68], [5, 36, 67, 68]))
    assert chain(code, start, stop, 30).tolist() == [1, 1, 1, 2]
    assert chain(code, start, stop, 29).tolist() == [1, 2, 3, 4]
    assert chain(np.array([0, 0, 0]), np.array([5, 0, 60]), np.array([6, 58, 60]), 1).tolist() == [1, 1, 1]


def test_tally_tells_true_alerts_from_false_ones() -> None:
    given = stream(2)
    code, stop = np.array([0, 0, 0, 3]), np.array([100, 2179, 2180, 2170])
    bounds = np.array([np.nan, 1.5, 2.5, np.nan]), np.array([np.nan, 3.0, 3.0, np.nan])
    tally = measure.tally(given, Findings(code, stop, stop, np.array([1, 2, 2, 3]), *bounds, (0.1,)))
    assert tally.delays == [200]
    assert tally.false_incidents == 2
    assert (tally.controls, tally.controls_soon, tally.controls_later) == (5, 1, 1)
    assert (tally.intervals, tally.covered) == (1, 1)
    assert tally.found(600) == pytest.approx(1 - 1 / 5)
    assert tally.false_open_days == pytest.approx(2 / 8640)
    assert tally.code_days == pytest.approx((5 * 2880 + 2160) / 8640)


@pytest.mark.parametrize(
    ("stops", "closings", "resolves", "returns"),
    [
        ([2170, 2200, 2519, 2529], 1, [100 + 300], 0),
        ([2170, 2201, 2500, 2530, 2560], 2, [410 + 300], 0),
        ([*range(2170, 2520), 2529, 2600], 0, [100 + 300], 1),
        ([*range(2170, 2520, 30), 2529, *range(2550, 2880)], 0, [float("inf")], 0),
    ],
)
def test_incident_is_resolved_when_no_alert_has_come_for_five_minutes(
    stops: list[int], closings: int, resolves: list[float], returns: int
) -> None:
    given = stream(2)
    assert given.change is not None
    hour = Stream(given.layers, given.passes, change=Change(given.change.codes, 2160, 2520, 2))
    stop, ones, none = np.array(stops), np.ones(len(stops), dtype=np.int64), np.full(len(stops), np.nan)
    tally = measure.tally(hour, Findings(0 * ones, stop, stop, ones, none, none, (0.1,)))
    assert [number for number, _ in tally.running] == [closings]
    assert (tally.resolves, tally.returns) == (resolves, returns)


@pytest.mark.parametrize("judge", [sequential.judge, peers.binomial, peers.scan, peers.mann_whitney])
def test_obvious_regression_is_found_and_its_neighbours_are_not(judge: Callable[[Stream], Findings]) -> None:
    tally = measure.tally(stream(8), judge(stream(8)))
    assert tally.delays[0] is not None
    assert tally.delays[0] <= 1800
    if judge in (sequential.judge, peers.scan):
        assert tally.false_incidents == 0


def test_store_is_filled_and_judged_as_the_job_does_it() -> None:
    given = stream(8, onset=360, bins=540)
    found = ours.reference("mean_difference")(given)
    tally = measure.tally(given, found)
    assert tally.delays[0] is not None
    assert tally.delays[0] <= 600
    assert found.code.max() < given.codes
    assert (found.start <= found.stop).all()
    assert found.stop.max() < given.bins
    assert len(found.seconds) == 1


@pytest.mark.parametrize("share", [0.5, None])
def test_sql_that_judges_what_is_near_an_alert_finds_what_it_finds_in_every_bin(share: float | None) -> None:
    """Twice for ten minutes a code of six is more frequent; the share is set, or estimated."""
    chance, means = np.random.default_rng(5), np.full((6, 5400), 10.0)
    baseline = simulate.bursts(chance, means, 4)
    means[0, 1000:1030] *= 3
    means[0, 5000:5030] *= 3
    shares = None if share is None else np.full(5400, share)
    given = Stream(*punctual(baseline, simulate.bursts(chance, means, 4)), shares, is_estimated=share is None)
    near, every = screened.judge(given, 20), ours.judge(given, ours.configured(given, false_alarm_days_per_code=20))
    found, expected = (
        sorted(zip(part.code, part.start, part.stop, part.ratio_low, strict=True)) for part in (near, every)
    )
    assert found == expected
    incidents = [measure.tally(given, part).false_incidents for part in (near, every)]
    assert incidents[0] == incidents[1] >= 2
    assert len(near.seconds) >= 2


def first_alerts(found: Findings, codes: int) -> dict[int, tuple[int, int]]:
    """Bin and estimated onset of the first alert of each code."""
    alerts = sorted(zip(found.code.tolist(), found.stop.tolist(), found.start.tolist(), strict=True), reverse=True)
    return {code: (stop, start) for code, stop, start in alerts if code < codes}


@pytest.mark.parametrize(("share", "has_history"), [(0.48, False), (None, False), (None, True)])
def test_twin_alerts_as_the_sql_does(share: float | None, has_history: bool) -> None:
    """A code of eight becomes three times as frequent; the comparison is two hours old, or begins."""
    chance, onset, bins = np.random.default_rng(11), 0 if has_history else 720, 360 if has_history else 1080
    means = np.full((8, bins), 10.0)
    baseline = simulate.bursts(chance, means, 4)
    means[0, onset:] *= 3
    candidate = simulate.bursts(chance, means, 4)
    earlier = simulate.bursts(chance, np.full((16, 720), 10.0), 4)
    given = Stream(
        *punctual(baseline, candidate),
        None if share is None else np.full(bins, share),
        change=Change(np.arange(8) == 0, onset, bins, 3),
        earlier=(earlier[:8], earlier[8:]) if has_history else None,
    )
    expected, found = ours.sequential(given), sequential.judge(screened.as_stored(given))
    assert first_alerts(found, 8) == first_alerts(expected, 8)
    assert first_alerts(found, 8)[0][0] - onset < 60
    # The last bin is not complete.
    alerts, reported = (
        {
            alert
            for alert in zip(part.code.tolist(), part.stop.tolist(), part.start.tolist(), strict=True)
            if alert[1] < bins - 1
        }
        for part in (found, expected)
    )
    assert alerts == reported


@pytest.mark.parametrize("min_ratio", [1.0, 1.5])
def test_twin_estimates_and_follows_a_release_as_the_sql_does(min_ratio: float) -> None:
    """The candidate goes from a tenth of the users to half; one code is three times as frequent from then on."""
    chance, step, bins = np.random.default_rng(12), 720, 1080
    share = np.where(np.arange(bins) < step, 0.1, 0.5)
    means = np.repeat(np.geomspace(1, 20, 8)[:, np.newaxis], bins, axis=1)
    times = np.where((np.arange(8) == 3)[:, np.newaxis] & (np.arange(bins) >= step), 3, 1)
    counts = simulate.poisson(chance, means * (1 - share)), simulate.poisson(chance, means * share * times)
    given = Stream(*punctual(*counts), is_estimated=True, min_ratio=min_ratio)
    expected, found = ours.sequential(given), sequential.judge(screened.as_stored(given))
    assert set(first_alerts(found, 8)) == {3}
    # The last bin is not complete.
    columns = []
    for part in (found, expected):
        alerts = zip(part.code.tolist(), part.stop.tolist(), part.start.tolist(), strict=True)
        columns.append({alert for alert in alerts if alert[1] < bins - 1})
    assert columns[0] == columns[1]
    assert first_alerts(found, 8)[3][0] - step < 240


def test_earlier_comparison_is_loaded_before_the_stream_begins() -> None:
    given = FAMILIES["release-1-after"].stream(0)
    with ours.store() as connection:
        ours.load(connection, given, 0, given.passes[-1])
        rows = connection.exec_driver_sql(
            "select build, code = 'beat', min(epoch(second)), max(epoch(second)), sum(errors)\n"
            "from counters group by all"
        ).all()
    reported = {
        (build, is_beat): (first - START_SECOND, last - START_SECOND, errors)
        for build, is_beat, first, last, errors in rows
    }
    assert given.earlier is not None
    for build, counts in (("5.8", given.earlier[0]), ("5.9", given.earlier[1])):
        first, last, errors = reported[build, True]
        assert first == -6 * 3600
        assert last == (-1 if build == "5.8" else 3599)
        assert errors == last - first + 1
        now = 0 if build == "5.8" else given.arrived()[0].sum()
        assert reported[build, False][2] == counts.sum() + now
    assert reported["5.10", True][:2] == (0, 3599)


def test_bursts_of_clients_are_counted_apart() -> None:
    given = Stream(*punctual(*np.ones((2, 1, 2880), dtype=np.int64)), clients=np.array([[100, 300, 2000]]))
    stop = np.array([90, 102, 180, 310, 2359, 2360])
    ones = np.ones(stop.size)
    found = Findings(0 * stop, stop, stop, np.array([1, 2, 3, 4, 5, 6]), ones, ones, (0.1,))
    tally = measure.tally(given, found)
    assert (tally.clients, tally.opened, tally.divided) == (3, 3, 1)


def test_a_quiet_stream_is_not_shown_to_the_sql() -> None:
    found = screened.judge(Stream(*punctual(*np.ones((2, 3, DAY_BINS), dtype=np.int64))))
    assert (found.code.size, found.seconds) == (0, ())
    assert measure.tally(stream(2), found).false_incidents == 0


@pytest.mark.parametrize(
    ("timing", "is_met"),
    [
        (Timing(((0.8, 0.55),) * 3, ((0.25, 0.55), (0.25, 0.55), (0.9, 0.55))), [True, True]),
        (Timing(((0.81, 0.55),) * 3, ((0.25, 0.55), (0.26, 0.55), (0.26, 0.55))), [False, False]),
        (Timing(((1.6, 1.1), (9.0, 0.55), (0.8, 0.55)), ((0.5, 1.1), (0.25, 0.55), (0.5, 1.1))), [True, True]),
        (Timing(((1.6, 0.55), (1.6, 0.55), (0.8, 0.55)), ((0.5, 0.55), (0.5, 1.1), (0.5, 0.55))), [False, False]),
    ],
)
def test_passes_are_judged_by_the_yardstick_before_each(timing: Timing, is_met: list[bool]) -> None:
    assert [row[-1] for row in timing.rows()] == is_met
