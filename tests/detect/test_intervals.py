"""The interval of a ratio of rates: what it says at its edges, and how often it holds the truth."""

import math
import random

import pytest

from streammetrics.detect.intervals import CONFIDENCE, ratio_interval, ratio_intervals


def interval(
    baseline: float, candidate: float, share: float = 0.5, tested: float | None = None, dispersion: float = 1
) -> tuple[float, float | None]:
    return ratio_interval(baseline, candidate, share, share if tested is None else tested, dispersion)


def test_holds_the_estimate_between_its_bounds() -> None:
    low, high = interval(10, 40)
    assert high is not None
    assert 1 < low < 4 < high < 16


def test_bounds_are_where_the_mixture_is_twenty_times_as_likely() -> None:
    b, k, share = 10, 40, 0.25
    low, high = interval(b, k, share)
    assert high is not None
    mixture = math.lgamma(1 + k) + math.lgamma(1 + b) - math.lgamma(2 + k + b)
    for ratio in (low, high):
        expected = ratio * share / (ratio * share + 1 - share)
        odds = mixture - k * math.log(expected) - b * math.log(1 - expected)
        assert odds == pytest.approx(math.log(1 / (1 - CONFIDENCE)))


def test_a_baseline_without_errors_has_a_lower_bound_alone() -> None:
    low, high = interval(0, 25)
    assert high is None
    # The share s of 25 errors for which 1 / (26 s^25) = 20.
    share = (1 / (26 * 20)) ** (1 / 25)
    assert low == pytest.approx(share / (1 - share))
    assert low > 3


def test_a_candidate_without_errors_has_an_upper_bound_alone() -> None:
    low, high = interval(25, 0)
    assert low == 0
    assert high == pytest.approx(1 / interval(0, 25)[0])


def test_no_errors_say_nothing() -> None:
    assert interval(0, 0) == (0, None)


def test_more_users_of_the_candidate_make_less_of_its_errors() -> None:
    shares = [0.0001, 0.01, 0.3, 0.5, 0.9, 0.9999]
    bounds = [interval(10, 40, share) for share in shares]
    assert bounds == sorted(bounds, key=lambda bound: -bound[0])
    assert [high for _, high in bounds] == sorted((high for _, high in bounds if high is not None), reverse=True)
    odds = [share / (1 - share) for share in shares]
    assert [low * o for (low, _), o in zip(bounds, odds, strict=True)] == pytest.approx([bounds[3][0]] * 6)


def test_tolerance_lowers_the_lower_bound_alone() -> None:
    plain, tolerant = interval(10, 40, 0.5), interval(10, 40, 0.5, 0.6)
    assert tolerant[0] < plain[0]
    assert tolerant[1] == plain[1]


def test_bursts_widen_it() -> None:
    plain, bursty = interval(10, 40), interval(10, 40, dispersion=5)
    assert plain[1] is not None
    assert bursty[1] is not None
    assert bursty[0] < plain[0] < 4 < plain[1] < bursty[1]
    assert bursty == interval(2, 8)


@pytest.mark.parametrize("errors", [(0, 10**9), (10**9, 0), (1, 10**9), (10**9, 10**9), (3600 * 10**9, 1)])
@pytest.mark.parametrize("share", [0.0001, 0.5, 0.9999])
@pytest.mark.parametrize("dispersion", [1, 1e9])
def test_any_number_of_errors_has_finite_bounds(errors: tuple[int, int], share: float, dispersion: float) -> None:
    ((low, high),) = ratio_intervals([(*errors, share, share, dispersion)])
    assert 0 <= low < math.inf
    assert (high is None) == (errors[0] == 0)
    if high is not None and errors[1]:
        estimate = errors[1] / errors[0] * (1 - share) / share
        assert low <= estimate + 1e-6
        assert estimate - 1e-6 <= high < math.inf


@pytest.mark.slow
@pytest.mark.parametrize(("ratio", "share"), [(1.0, 0.5), (3.0, 0.5), (2.0, 0.1)])
def test_holds_the_truth_whenever_one_looks(ratio: float, share: float) -> None:
    """A hundred looks at each of two hundred streams; without the promise of all times a third of them would fail."""
    dice = random.Random(7)
    expected = ratio * share / (ratio * share + 1 - share)
    missed = 0
    for _ in range(200):
        counts = [0, 0]
        for look in range(400):
            counts[dice.random() < expected] += 1
            if look % 4 == 0:
                low, high = interval(counts[0], counts[1], share)
                if ratio < low or (high is not None and ratio > high):
                    missed += 1
                    break
    assert missed <= 200 * (1 - CONFIDENCE)
