"""The scenario families: what happens in each, and whether there is something to be found.

Every stream of a family has a seed of its own. Without a change it holds 40 codes for 5 days, or for one day 200 of
which records are late; with one 40, of which 10 change after 6 quiet hours while the others go on as controls.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.detection import delivery, simulate
from bench.detection.optimum import RATES, RATIOS
from bench.detection.streams import DAY_BINS, Change, Counts, Reals, Stream, punctual

CODES = 40
NULL_BINS = 5 * DAY_BINS
HOUR_BINS = DAY_BINS // 24
QUIET_BINS = 6 * HOUR_BINS
CHANGED_CODES = 10

Draw = Callable[[Generator, Reals], Counts]


@dataclass(frozen=True)
class Family:
    """A kind of stream.

    Args:
        says: what happens in it, for the tables.
        make: draws one stream.
        code_days: how much of it is wanted; 0 where `changes` says it.
        changes: how many changes are wanted.
        limit: of false incidents in 1,000 code-days, for families without a change; inf where none is promised.
        is_punctual: whether all records come in time, so that one pass at the end sees what the job's passes see.
        is_estimated: the share is estimated from the stream, which peers cannot do.
    """

    name: str
    says: str
    make: Callable[[Generator], Stream]
    code_days: int = 0
    changes: int = 0
    limit: float = 1.0
    is_punctual: bool = True
    is_estimated: bool = False

    @property
    def is_null(self) -> bool:
        """Whether there is nothing to be found."""
        return self.changes == 0

    def stream(self, number: int) -> Stream:
        """Stream `number`, the same on every machine."""
        return self.make(np.random.default_rng((zlib.crc32(self.name.encode()), number)))


def _null(
    name: str,
    says: str,
    rate: float,
    *,
    shape: Callable[[Generator], Reals] | None = None,
    draw: Draw = simulate.poisson,
    share: Callable[[], Reals] | None = None,
    told: Callable[[Reals], Reals] = lambda share: share,
    tolerance: float = 0.0,
    limit: float = 1.0,
    is_estimated: bool = False,
    code_days: int | None = None,
    bins: int = NULL_BINS,
) -> Family:
    """No change: `rate` errors a second and build (the mean of both where `share` is given), times a common `shape`."""

    def make(chance: Generator) -> Stream:
        means = np.full((CODES, bins), rate * 10) * (shape(chance)[..., :bins] if shape else 1)
        true = share()[:bins] if share else np.full(bins, 0.5)
        counts = draw(chance, 2 * means * (1 - true)), draw(chance, 2 * means * true)
        return Stream(*punctual(*counts), told(true) if share else None, tolerance, is_estimated=is_estimated)

    wanted = code_days or (2_000 if is_estimated else 10_000)
    return Family(name, says, make, code_days=wanted, limit=limit, is_estimated=is_estimated)


def _changed(
    name: str,
    says: str,
    rate: float,
    ratio: float,
    *,
    hours: float = 1.5,
    lasts_bins: int | None = None,
    ramp_bins: int = 0,
    codes: int = CHANGED_CODES,
    shape: Callable[[Generator, int], Reals] | None = None,
    draw: Draw = simulate.poisson,
    share: float | None = None,
    changes: int = 400,
    is_estimated: bool = False,
) -> Family:
    """After 6 quiet hours the candidate's rate is `ratio` times the baseline's for some codes; inf: they are new."""

    def make(chance: Generator) -> Stream:
        bins = QUIET_BINS + round(hours * HOUR_BINS)
        means = np.full((CODES, bins), rate * 10) * (shape(chance, bins) if shape else 1)
        is_changed = np.arange(CODES) < codes
        end = bins if lasts_bins is None else QUIET_BINS + lasts_bins
        true = 0.5 if share is None else share
        times = np.ones(bins)
        times[QUIET_BINS:end] = 1 if np.isinf(ratio) else ratio
        times[QUIET_BINS : QUIET_BINS + ramp_bins] = np.linspace(1, ratio, ramp_bins, endpoint=False)
        candidate, baseline = 2 * true * means, 2 * (1 - true) * means
        candidate[is_changed] *= times
        if np.isinf(ratio):
            baseline[is_changed] = 0
            candidate[is_changed, :QUIET_BINS] = 0
        counts = draw(chance, baseline), draw(chance, candidate)
        told = None if share is None else np.full(bins, share)
        change = Change(is_changed, QUIET_BINS, end, np.nan if ramp_bins else ratio)
        return Stream(*punctual(*counts), told, change=change, is_estimated=is_estimated)

    return Family(name, says, make, changes=changes, is_estimated=is_estimated)


def _step(rate: float, ratio: float) -> Family:
    """A cell of the table of delays; the slow ones run for longer."""
    hours = {(0.1, 1.25): 14.0, (0.1, 1.5): 4.0, (1.0, 1.25): 2.0}.get((rate, ratio), 1.5)
    return _changed(f"step-{rate:g}-x{ratio:g}", f"{rate:g}/s x{ratio:g}", rate, ratio, hours=hours)


def _delivered(name: str, says: str, make: Callable[[Generator], Stream]) -> Family:
    return Family(name, says, make, code_days=10_000, is_punctual=False)


def _surges(chance: Generator, bins: int = NULL_BINS) -> Reals:
    """Every code surges ten times once a day, for half an hour."""
    shape = np.ones((CODES, bins))
    for day in range(-(-bins // DAY_BINS)):
        begins = day * DAY_BINS + chance.integers(0, DAY_BINS - HOUR_BINS, CODES)
        for code, begin in enumerate(begins):
            shape[code, begin : begin + HOUR_BINS // 2] = 10
    return shape


def _outages(chance: Generator) -> Reals:
    """Nothing of either build for 10 to 60 s, some 120 times a day."""
    shape = np.ones((1, NULL_BINS))
    for begin in np.flatnonzero(chance.random(NULL_BINS) < 120 / DAY_BINS):
        shape[0, begin : begin + chance.integers(1, 7)] = 0
    return shape


def _rollout() -> Reals:
    """Each day from 1 to 99 %, in steps of 10 minutes that are even in log odds, and back to 1 % at midnight."""
    steps = np.linspace(-np.log(99), np.log(99), 24 * 6)
    return np.tile(np.repeat(1 / (1 + np.exp(-steps)), DAY_BINS // steps.size), NULL_BINS // DAY_BINS)


def _dominant(times: float = 400) -> Reals:
    """One code sends so many times what each other sends: the first, which is one that changes."""
    return np.where(np.arange(CODES) == 0, times, 1.0)[:, np.newaxis]


def _halves(chance: Generator) -> Stream:
    """The candidate's rate is halved for 12 hours, then as before for 12, and so on."""
    means = np.full((CODES, NULL_BINS), 10.0)
    is_better = np.arange(NULL_BINS) // (DAY_BINS // 2) % 2 == 1
    return Stream(*punctual(simulate.poisson(chance, means), simulate.poisson(chance, means * (1 - is_better / 2))))


def _bursty(dispersion: float) -> Draw:
    return lambda chance, means: simulate.bursts(chance, means, dispersion)


def _constant(share: float) -> Callable[[], Reals]:
    return lambda: np.full(NULL_BINS, share)


NULLS = (
    _null("rate-0.02", "constant, .02/s", 0.02),
    _null("rate-1", "constant, 1/s", 1),
    _null("rate-10", "constant, 10/s", 10),
    _null("daily", "daily cycle, .2 to 1.8/s", 1, shape=lambda chance: simulate.daily(NULL_BINS)),
    _null("burst-2", "bursts, dispersion 2", 1, draw=_bursty(2)),
    _null("burst-10", "bursts, dispersion 10", 1, draw=_bursty(10)),
    _null("burst-40", "bursts, dispersion 40", 1, draw=_bursty(40), limit=5),
    _null("gamma", "common gamma-modulated rate", 1, shape=lambda chance: simulate.gamma(chance, CODES, NULL_BINS)),
    _null("share-0.01", "share .01", 1, share=_constant(0.01)),
    _null("share-0.1", "share .1", 1, share=_constant(0.1)),
    _null("share-0.5", "share .5, in a table", 1, share=_constant(0.5)),
    _null("rollout", "share from 1 to 99 % each day", 1, share=_rollout),
    _null(
        "misstated", "share 5 % above what is told, 10/s", 10,
        share=_constant(0.525), told=lambda share: share / 1.05, tolerance=0.05,
    ),
    _null("surge", "both builds surge ten times", 1, shape=_surges),
    _null("missing", "seconds missing on both builds", 1, shape=_outages),
    Family("improvement", "candidate at half the rate, on and off", _halves, code_days=10_000),
    *(
        _delivered(f"late-{minutes}m", f"one build {minutes} min late at each pass", delivery.behind(minutes))
        for minutes in (1, 5, 20)
    ),
    *(
        _delivered(f"lost-{minutes}m", f"{minutes} min of one build lost", delivery.behind(minutes, is_lost=True))
        for minutes in (1, 5, 20)
    ),
    _null("estimated-0.01", "share .01, estimated", 1, share=_constant(0.01), is_estimated=True),
    _null("estimated-0.1", "share .1, estimated", 1, share=_constant(0.1), is_estimated=True),
    _null("estimated-rare", ".1/s, share .01, estimated", 0.1, share=_constant(0.01), is_estimated=True),
    # Where it ends: an hour late, estimates follow no rollout.
    _null(
        "estimated-rollout", "share from 1 to 99 % each day, estimated", 1, share=_rollout, is_estimated=True,
        code_days=200, bins=DAY_BINS, limit=float("inf"),
    ),
    _null(
        "estimated-dominant", ".1/s and a code of 40/s, share .1, estimated", 0.1, share=_constant(0.1),
        shape=lambda chance: _dominant(), is_estimated=True,
    ),
    _delivered("late-data", "a tenth of the baseline's records up to 10 min late", delivery.stragglers),
)  # fmt: skip

CHANGES = (
    *(_step(rate, ratio) for rate in RATES for ratio in RATIOS),
    _changed("step-0.02-x5", ".02/s x5", 0.02, 5),
    _changed("step-5-x1.25", "5/s x1.25", 5, 1.25),
    _changed("share-0.1-x2", "share .1, x2", 1, 2, share=0.1),
    _changed(
        "daily-x2", "daily cycle and surges, x2", 1, 2,
        shape=lambda chance, bins: simulate.daily(bins) * _surges(chance, bins),
    ),
    _changed("burst-10-x3", "dispersion 10, x3", 1, 3, draw=_bursty(10)),
    _changed("burst-40-x3", "dispersion 40, x3", 1, 3, draw=_bursty(40)),
    _changed("new-code", "new code, .1/s", 0.1, np.inf),
    _changed("ramp", "1/s, in 30 minutes to x3", 1, 3, ramp_bins=HOUR_BINS // 2),
    _changed("spike-30s", "1/s, x10 for 30 s", 1, 10, lasts_bins=3),
    _changed("spike-10m", "1/s, x2 for 10 minutes", 1, 2, lasts_bins=HOUR_BINS // 6),
    _changed("hour", "1/s, x2 for an hour", 1, 2, lasts_bins=HOUR_BINS, hours=2.5),
    _changed("half", "half of all codes, 1/s x2", 1, 2, codes=CODES // 2),
    _changed("plus-5%", "10/s, +5 % for good", 10, 1.05, hours=6),
    _changed("estimated-0.01-x2", "share .01, estimated, x2", 1, 2, share=0.01, changes=100, is_estimated=True),
    _changed("estimated-0.1-x2", "share .1, estimated, x2", 1, 2, share=0.1, changes=100, is_estimated=True),
    _changed(
        "estimated-dominant-x2", "share .1, estimated, the code of 40/s among those of .1/s x2", 0.1, 2, codes=1,
        share=0.1, changes=20, shape=lambda chance, bins: _dominant(), hours=3, is_estimated=True,
    ),
    _changed("day", "1/s x1.5, for a day", 1, 1.5, hours=24, changes=100),
)  # fmt: skip

FAMILIES = {family.name: family for family in (*NULLS, *CHANGES)}
