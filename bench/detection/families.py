"""The scenario families: what happens in each, and whether there is something to be found.

Every stream of a family has a seed of its own. Without a change it holds 40 codes for 5 days, or for one day 200 of
which records are late; with one 40, of which 10 change after 6 quiet hours while the others go on as controls. A
release is the first hour of a comparison, with or without one before it that lasted six hours.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from bench.detection import delivery, simulate
from bench.detection.optimum import RATES, RATIOS
from bench.detection.streams import DAY_BINS, Change, Counts, Reals, Stream, punctual

CODES = 40
NULL_BINS = 5 * DAY_BINS
HOUR_BINS = DAY_BINS // 24
QUIET_BINS = 6 * HOUR_BINS
SPREAD_RATES = np.geomspace(0.02, 10, CODES)
MIXED = {12: 40.0, 22: 40.0, 32: 40.0}
"""The dispersion of three codes at middle rates."""
CHANGED_CODES = 10
EARLIER_RATIO = 1.5
"""`min_ratio` of comparisons with what was sent days before."""

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
        hour_limits: for a release, of false incidents in an hour of a code: of those that are bursty among calm ones
            (none where all are alike), and of the others.
        is_punctual: whether all records come in time, so that one pass at the end sees what the job's passes see.
        is_estimated: the share is estimated from the stream, which peers cannot do.
    """

    name: str
    says: str
    make: Callable[[Generator], Stream]
    code_days: float = 0
    changes: int = 0
    limit: float = 1.0
    hour_limits: tuple[float | None, float] | None = None
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
    given: Callable[[Reals], Reals] = lambda share: share,
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
        return Stream(*punctual(*counts), given(true) if share else None, tolerance, is_estimated=is_estimated)

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
    changes: int = 200,
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
        given = None if share is None else np.full(bins, share)
        change = Change(is_changed, QUIET_BINS, end, np.nan if ramp_bins else ratio)
        return Stream(*punctual(*counts), given, change=change, is_estimated=is_estimated)

    return Family(name, says, make, changes=changes, is_estimated=is_estimated)


def _step(rate: float, ratio: float) -> Family:
    """A cell of the table of delays; the slow ones run for longer."""
    hours = {(0.1, 1.25): 14.0, (0.1, 1.5): 4.0, (1.0, 1.25): 2.0}.get((rate, ratio), 1.5)
    return _changed(f"step-{rate:g}-x{ratio:g}", f"{rate:g}/s x{ratio:g}", rate, ratio, hours=hours)


def _delivered(name: str, says: str, make: Callable[[Generator], Stream]) -> Family:
    # Judged pass by pass, not only where it is near: that takes a minute of a core for each 200 code-days.
    return Family(name, f"{says} (2,000 code-days)", make, code_days=2_000, is_punctual=False)


def _released(
    name: str,
    says: str,
    *,
    has_history: bool,
    dispersions: dict[int, float] | float = 1.0,
    hours: int = 10_000,
    hour_limits: tuple[float | None, float] = (None, 1 / 2000),
    share: float | None = None,
) -> Family:
    """The first hour of codes from .02 to 10 a second, without a change; `dispersions`: of all, or of some.

    With a `share` the candidate has so much of the exposure, which the program is to estimate.
    """

    def make(chance: Generator) -> Stream:
        given = dict.fromkeys(range(CODES), dispersions) if isinstance(dispersions, float) else dispersions
        bins = HOUR_BINS + (QUIET_BINS if has_history else 0)
        means = np.repeat(SPREAD_RATES[:, np.newaxis] * 10, bins, axis=1)
        sides = []
        for part in (0.5, 0.5) if share is None else (1 - share, share):
            counts = simulate.poisson(chance, 2 * part * means)
            for code, dispersion in given.items():
                if dispersion > 1:
                    counts[code] = simulate.bursts(chance, 2 * part * means[[code]], dispersion)[0]
            sides.append(counts)
        is_bursty = None if isinstance(dispersions, float) else np.isin(np.arange(CODES), list(dispersions))
        return replace(_begun(*sides), bursty=is_bursty, is_estimated=share is not None)

    return Family(
        name,
        says,
        make,
        code_days=hours / 24,
        limit=float("inf"),
        hour_limits=hour_limits,
        is_estimated=share is not None,
    )


def _begun(baseline: Counts, candidate: Counts) -> Stream:
    """A comparison that begins an hour before the end; what is before that is the comparison before."""
    old, new = baseline.shape[1] - HOUR_BINS, slice(baseline.shape[1] - HOUR_BINS, None)
    earlier = (candidate[:, :old], baseline[:, :old]) if old else None
    return Stream(*punctual(baseline[:, new], candidate[:, new]), earlier=earlier)


def _release_changed(
    name: str, says: str, rate: float, ratio: float, *, has_history: bool, share: float | None = None
) -> Family:
    """From its first record on the candidate sends ten codes `ratio` times as often; inf: they are new.

    With a `share` the candidate has so much of the exposure, which the program is to estimate.
    """

    def make(chance: Generator) -> Stream:
        old = QUIET_BINS if has_history else 0
        rates = np.concatenate([np.full(CHANGED_CODES, rate), np.geomspace(0.02, 10, CODES - CHANGED_CODES)])
        baseline = np.repeat(rates[:, np.newaxis] * 10, old + HOUR_BINS, axis=1)
        candidate = baseline.copy()
        if np.isinf(ratio):
            baseline[:CHANGED_CODES] = 0
            candidate[:CHANGED_CODES, :old] = 0
        else:
            candidate[:CHANGED_CODES, old:] *= ratio
        parts = (0.5, 0.5) if share is None else (1 - share, share)
        counts = (
            simulate.poisson(chance, 2 * part * side) for part, side in zip(parts, (baseline, candidate), strict=True)
        )
        change = Change(np.arange(CODES) < CHANGED_CODES, 0, HOUR_BINS, ratio)
        return replace(_begun(*counts), change=change, is_estimated=share is not None)

    return Family(name, says, make, changes=200, is_estimated=share is not None)


def _client(errors: int, seconds: int) -> Family:
    """After 6 quiet hours, once in each of 6 hours, one client sends the candidate's code so many errors."""

    def make(chance: Generator) -> Stream:
        means = np.repeat(SPREAD_RATES[:, np.newaxis] * 10, 2 * QUIET_BINS, axis=1)
        baseline, candidate = simulate.poisson(chance, means), simulate.poisson(chance, means)
        # Not in the last minute of an hour: none is cut at the stream's end.
        begins = QUIET_BINS * 10 + 3600 * np.arange(6) + chance.integers(0, 3540, (CODES, 6))
        records = begins[..., np.newaxis] + np.floor(chance.random((CODES, 6, errors)) * seconds).astype(np.int64)
        np.add.at(candidate, (np.arange(CODES)[:, np.newaxis, np.newaxis], records // 10), 1)
        return replace(Stream(*punctual(baseline, candidate)), clients=begins // 10)

    name, says = f"client-{errors}-{seconds}s", f"{errors} errors of one client in {seconds} s"
    return Family(name, says, make, code_days=100, limit=float("inf"))


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


def _stepwise() -> Reals:
    """Each day 1, 5, 20, 50 and 95 % of the users, as releases go; and a build of the same at midnight."""
    steps = np.repeat((0.01, 0.05, 0.2, 0.5, 0.95), DAY_BINS // 5)
    return np.tile(steps, NULL_BINS // DAY_BINS)


def _day_before(percent: int) -> Callable[[Generator], Stream]:
    """The baseline is what was sent a day before; the rate of each code moves by up to so much from day to day."""

    def make(chance: Generator) -> Stream:
        days = NULL_BINS // DAY_BINS + 1
        moves = np.exp(np.log1p(percent / 100) * chance.uniform(-1, 1, (CODES, days)))
        moves[:, 0] = 1
        means = SPREAD_RATES[:, np.newaxis] * 10 * np.repeat(moves.cumprod(axis=1), DAY_BINS, axis=1)
        means *= simulate.daily(days * DAY_BINS)
        # The number of users moves as well, which is no code's doing.
        means *= np.repeat(chance.uniform(0.7, 1.4, days), DAY_BINS)
        counts = simulate.poisson(chance, means)
        stream = Stream(*punctual(counts[:, :NULL_BINS], counts[:, DAY_BINS:]), is_estimated=True)
        return replace(stream, min_ratio=EARLIER_RATIO)

    return make


def _requests_day_before(chance: Generator) -> Stream:
    """Users come and go as the requests of a real load balancer; the rate of each code moves by up to 5 % a day."""
    requests = simulate.requests()
    days = requests.size // DAY_BINS
    moves = np.exp(np.log(1.05) * chance.uniform(-1, 1, (CODES, days))).cumprod(axis=1)
    means = SPREAD_RATES[:, np.newaxis] * 10 * np.repeat(moves, DAY_BINS, axis=1) * requests
    counts = simulate.poisson(chance, means)
    stream = Stream(*punctual(counts[:, :-DAY_BINS], counts[:, DAY_BINS:]), is_estimated=True)
    return replace(stream, min_ratio=EARLIER_RATIO)


def _worse_than_yesterday(rate: float, *, is_real: bool = False) -> Callable[[Generator], Stream]:
    """After 6 quiet hours ten codes are three times as frequent as the day before; rates have moved by up to 5 %.

    Where it `is_real`, users come and go on both days as the requests of a real load balancer.
    """

    def make(chance: Generator) -> Stream:
        bins = QUIET_BINS + HOUR_BINS
        rates = np.concatenate([np.full(CHANGED_CODES, rate), np.geomspace(0.02, 10, CODES - CHANGED_CODES)])
        baseline = np.repeat(rates[:, np.newaxis] * 10, bins, axis=1)
        candidate = baseline * np.exp(np.log(1.05) * chance.uniform(-1, 1, (CODES, 1)))
        if is_real:
            requests = simulate.requests()[0]
            begin = chance.integers(requests.size - DAY_BINS - bins)
            baseline *= requests[begin : begin + bins]
            candidate *= requests[begin + DAY_BINS : begin + DAY_BINS + bins]
        candidate[:CHANGED_CODES, QUIET_BINS:] *= 3
        counts = simulate.poisson(chance, baseline), simulate.poisson(chance, candidate)
        change = Change(np.arange(CODES) < CHANGED_CODES, QUIET_BINS, bins, np.nan)
        return Stream(*punctual(*counts), change=change, is_estimated=True, min_ratio=EARLIER_RATIO)

    return make


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
    _null("burst-40", "bursts, dispersion 40", 1, draw=_bursty(40), limit=2),
    _null("gamma", "common gamma-modulated rate", 1, shape=lambda chance: simulate.gamma(chance, CODES, NULL_BINS)),
    _null("share-0.01", "share .01", 1, share=_constant(0.01)),
    _null("share-0.1", "share .1", 1, share=_constant(0.1)),
    _null("share-0.5", "share .5, in a table", 1, share=_constant(0.5)),
    _null("rollout", "share from 1 to 99 % each day", 1, share=_rollout),
    _null(
        "misstated", "share 5 % above what is given, 10/s", 10,
        share=_constant(0.525), given=lambda share: share / 1.05, tolerance=0.05,
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
    # In the hour after a step of the share each code is compared with all others: a stream takes minutes of a core.
    *(
        _null(name, says, rate, share=share, is_estimated=True, code_days=600)
        for name, says, rate, share in (
            ("estimated-rollout", "share from 1 to 99 % each day, estimated", 1, _rollout),
            ("estimated-steps", "share 1, 5, 20, 50, 95 % each day, estimated", 1, _stepwise),
            ("estimated-steps-rare", "the same, .05/s", 0.05, _stepwise),
        )
    ),
    *(
        Family(
            f"earlier-{percent}", f"against the day before, rates move by {percent} %", _day_before(percent),
            code_days=2_000, limit=10, is_estimated=True,
        )
        for percent in (5, 15, 30)
    ),
    Family(
        "earlier-requests", "against the day before, users as the requests of a load balancer", _requests_day_before,
        code_days=2_000, limit=10, is_estimated=True,
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
    _changed("spike-10m", "1/s, x2 for 10 minutes", 1, 2, lasts_bins=HOUR_BINS // 6, changes=400),
    _changed("hour", "1/s, x2 for an hour", 1, 2, lasts_bins=HOUR_BINS, hours=2.5, changes=400),
    _changed("half", "half of all codes, 1/s x2", 1, 2, codes=CODES // 2),
    _changed("plus-5%", "10/s, +5 % for good", 10, 1.05, hours=6),
    _changed("estimated-0.01-x2", "share .01, estimated, x2", 1, 2, share=0.01, changes=100, is_estimated=True),
    _changed("estimated-0.1-x2", "share .1, estimated, x2", 1, 2, share=0.1, changes=100, is_estimated=True),
    _changed(
        "estimated-dominant-x2", "share .1, estimated, the code of 40/s among those of .1/s x2", 0.1, 2, codes=1,
        share=0.1, changes=20, shape=lambda chance, bins: _dominant(), hours=3, is_estimated=True,
    ),
    _changed("day", "1/s x1.5, for a day", 1, 1.5, hours=24, changes=100),
    *(
        Family(
            f"earlier-{rate:g}-x3", f"against the day before, {rate:g}/s x3", _worse_than_yesterday(rate), changes=200,
            is_estimated=True,
        )
        for rate in (0.1, 1)
    ),
    *(
        Family(
            f"earlier-requests-{rate:g}-x3", f"the same, {rate:g}/s x3", _worse_than_yesterday(rate, is_real=True),
            changes=200, is_estimated=True,
        )
        for rate in (0.1, 1)
    ),
)  # fmt: skip

_PAST = ((False, "", ""), (True, "-after", ", after another"))
"""Without and with a comparison before: whether, and what is added to name and words."""

_ESTIMATED_RELEASES = tuple(
    _released(
        f"release-{dispersion:g}-at-{share:g}", f"release to {share:.0%}, dispersion {dispersion:g}, estimated",
        has_history=False, dispersions=float(dispersion), share=share,
    )
    for dispersion, share in ((1, 0.01), (1, 0.5), (10, 0.1), (40, 0.5))
)  # fmt: skip

RELEASES = _ESTIMATED_RELEASES + tuple(
    family
    for has_history, end, words in _PAST
    for family in (
        *(
            _released(
                f"release-{dispersion:g}{end}",
                f"release, dispersion {dispersion:g}{words}",
                has_history=has_history,
                dispersions=float(dispersion),
            )
            for dispersion in (1, 3, 10, 40)
        ),
        _released(
            f"release-mixed{end}",
            f"release, three of 40 codes with dispersion 40{words}",
            has_history=has_history,
            dispersions=MIXED,
            hours=20_000 if has_history else 10_800,
            hour_limits=(1 / 500 if has_history else 1 / 10, 1 / 2000),
        ),
    )
)

RELEASED_SECONDS = {
    "x10-at-half": (120, 120),
    "x3-at-half": (420, 420),
    "x10": (120, 120),
    "x3": (420, 120),
    "0.05-x20": (420, 150),
    "new": (860, 300),
}
"""The median delay that a change from the first record on may have: without and with a comparison before."""

_ESTIMATED_CHANGES = tuple(
    _release_changed(
        f"released-{name}-at-half",
        f"1/s {name} from the first record, estimated",
        1,
        ratio,
        has_history=False,
        share=0.5,
    )
    for name, ratio in (("x10", 10), ("x3", 3))
)

RELEASE_CHANGES = _ESTIMATED_CHANGES + tuple(
    _release_changed(f"released-{name}{end}", f"{says} from the first record{words}", rate, ratio, has_history=has)
    for has, end, words in _PAST
    for name, says, rate, ratio in (
        ("x10", "1/s x10", 1, 10),
        ("x3", "1/s x3", 1, 3),
        ("0.05-x20", ".05/s x20", 0.05, 20),
        ("new", "new code, .1/s,", 0.1, np.inf),
    )
)

CLIENTS = tuple(_client(errors, seconds) for errors in (83, 500) for seconds in (3, 20, 60))

FAMILIES = {family.name: family for family in (*NULLS, *RELEASES, *CHANGES, *RELEASE_CHANGES, *CLIENTS)}
