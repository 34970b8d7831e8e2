"""`sequential` in numpy, by the formulas of docs/detection.md: what the SQL is held against.

Windowed Shiryaev-Roberts over a grid of rate ratios (Lindon & Malek, arXiv 2011.03567; Shin, Ramdas & Rinaldo, NEJSDS
59), with a divisor for bursts and a gate that closes an incident when the newest bins speak against it.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.detection.chances import log_beta
from bench.detection.streams import BIN_SECONDS, Counts, Findings, Flags, Reals, Stream, chain

GRID = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
WINDOWS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597)
BLOCK_BINS = 120 // BIN_SECONDS
BLOCKS, LAG_BLOCKS, FEWEST_BLOCKS, REACH_BLOCKS = 180, 3, 8, 30
HOUR_BLOCKS = 30
CLOSING_NATS = np.log(1e3)
WIDEST_NATS = np.log(20)
"""Of the 95 % interval."""


@dataclass(frozen=True)
class Settings:
    """As in config.toml."""

    false_alarm_days_per_code: float = 1000
    history_seconds: int = 16_000

    @property
    def threshold_nats(self) -> float:
        """ln(1/alpha)."""
        return float(np.log(self.false_alarm_days_per_code * 86400 / BIN_SECONDS))

    @property
    def lengths_and_parts(self) -> tuple[Counts, Reals]:
        """Of windows in bins, and the logarithms of their parts in the sum: -inf where they only tell of an end."""
        windows = np.array([bins for bins in WINDOWS if bins * BIN_SECONDS <= self.history_seconds])
        starts = np.diff(windows, prepend=0)
        between = np.concatenate([windows - starts * third // 3 for third in (1, 2)])
        lengths = np.union1d(windows, between)
        parts = np.full(lengths.size, -np.inf)
        parts[np.searchsorted(lengths, windows)] = np.log(starts) - np.log(len(GRID))
        return lengths, parts


@dataclass(frozen=True)
class _Alerts:
    code: Counts
    stop: Counts
    window: Counts


def judge(stream: Stream, settings: Settings | None = None) -> Findings:
    """All that comes, judged at every bin; gaps and records that come late are not looked at."""
    started = time.perf_counter()
    candidate, total, share, weight = _weighed(stream)
    alerts = _fired(candidate, total, share, weight, settings or Settings())
    start = alerts.stop - alerts.window + 1
    incident = chain(alerts.code, alerts.stop, alerts.stop, 300 // BIN_SECONDS)
    low, high = (np.full(alerts.code.size, np.nan) for _ in range(2))
    _, first = np.unique(incident, return_index=True)
    low[first], high[first] = _bounds(alerts, first, candidate * weight, total * weight, share)
    return Findings(alerts.code, start, alerts.stop, incident, low, high, (time.perf_counter() - started,))


def nearly(stream: Stream, times: float, settings: Settings) -> tuple[Counts, Counts]:
    """Codes and bins with M >= 1/alpha/times, whether or not a gate would keep them silent."""
    least_nats = settings.threshold_nats - float(np.log(times))
    code, stop, _, value = _values(*_weighed(stream), settings, least_nats)
    is_near = value >= least_nats
    return code[is_near], stop[is_near]


def _weighed(stream: Stream) -> tuple[Counts, Counts, Reals, Reals]:
    """The candidate's counts and those of both builds, the share that is tested, and what an error counts for."""
    baseline, candidate = stream.arrived()
    total = baseline + candidate
    known = (stream.shares, stream.shares) if not stream.is_estimated else estimates(candidate, total)
    share = np.minimum(known[1] * (1 + stream.share_tolerance), 1 - 1e-9)
    return candidate, total, share, 1 / divisors(candidate, total, known[0])


def estimates(candidate: Counts, total: Counts) -> tuple[Reals, Reals]:
    """The share that the hour before each bin's block tells, and the highest that it may be: shapes (bins,)."""
    k, n = (np.cumsum(np.pad(_blocks(counts), ((0, 0), (1, 0))), axis=1) for counts in (candidate, total))
    starts = np.arange(k.shape[1] - 1)
    since = np.maximum(starts - HOUR_BLOCKS, 0)
    told = [
        _estimate(*hour) for hour in zip((k[:, starts] - k[:, since]).T, (n[:, starts] - n[:, since]).T, strict=True)
    ]
    found: Reals = np.repeat(np.clip(told, 1e-4, 1 - 1e-4), BLOCK_BINS, axis=0)[: candidate.shape[1]]
    return found[:, 0], found[:, 1]


def _estimate(k: Reals, n: Reals) -> tuple[float, float]:
    """The share in the middle half of the votes of an hour, and Wilson's bound three standard errors above it."""
    k, n = k[n > 0], n[n > 0]
    if not n.size:
        return 0.5, 1.0
    rest = n.sum() - n.max()
    rate = min(k.sum() - k.max(), (n - k).sum() - (n - k).max()) / rest if rest else 0.0
    _, vote = np.unique(np.floor(np.cumsum(n) * rate / 20), return_inverse=True)
    hits_of, trials_of = np.bincount(vote, k), np.bincount(vote, n)
    place = np.argsort(np.argsort(hits_of / trials_of, kind="stable")) + 1
    middle = (4 * place - 2 >= place.size) & (4 * place - 2 <= 3 * place.size)
    hits, trials = float(hits_of[middle].sum()), float(trials_of[middle].sum())
    return hits / trials, (hits + 4.5 + 3 * np.sqrt(hits * (trials - hits) / trials + 2.25)) / (trials + 9)


def divisors(candidate: Counts, total: Counts, share: Reals) -> Reals:
    """What the evidence of each bin is divided by: the dispersion φ of the code's share from one block to the next.

    Blocks of 2 minutes, the last 180, three blocks ago, each beside the last one before it with records, within an
    hour. φ is the code's own where it is more than three standard errors above max(1, median φ), else that; inf where
    none is known yet. Bursts differ in size, and up to half an error is added. Shapes are (codes, bins).
    """
    k, n, e = _blocks(candidate), _blocks(total), _blocks(total * share)
    place = np.arange(k.shape[1])[np.newaxis]
    latest = np.maximum.accumulate(np.where(n > 0, place, -1), axis=1)
    before = np.concatenate([np.full((k.shape[0], 1), -1), latest[:, :-1]], axis=1)
    paired = (n > 0) & (before >= 0) & (place - before <= REACH_BLOCKS)
    k0, n0, e0 = (np.take_along_axis(values, np.where(paired, before, 0), axis=1) for values in (k, n, e))
    last = place[0] - LAG_BLOCKS
    first = np.maximum(last - BLOCKS + 1, 0)

    def trailing(values: Reals) -> Reals:
        sums = np.concatenate([np.zeros((values.shape[0], 1)), np.cumsum(values, axis=1)], axis=1)
        found: Reals = sums[:, np.maximum(last + 1, 0)] - sums[:, np.where(last >= 0, first, 0)]
        return found

    with np.errstate(invalid="ignore", divide="ignore"):
        spread = trailing(np.where(paired, (k * e0 - k0 * e) ** 2 / (e + e0), 0))
        excess = trailing(np.where(paired, (e * e0) ** 2 / (e + e0) * (1 / n + 1 / n0), 0))
        pairs, r = trailing(paired.astype(np.float64)), trailing(k) / trailing(e)
        scale = r * (trailing(np.where(paired, e * e0, 0)) - r * excess)
        phi = np.where((pairs >= FEWEST_BLOCKS - 1) & (scale > 1e-9), spread / scale, np.nan)
        margin = 1 + 3 * np.sqrt(3 / pairs)
    some = np.isfinite(phi).any(axis=0)
    pooled = np.full(phi.shape[1], np.inf)
    pooled[some] = np.maximum(np.nanmedian(phi[:, some], axis=0), 1)
    with np.errstate(invalid="ignore"):
        dispersion = np.where(phi > margin * pooled, phi, pooled)
        divisor = np.sqrt((dispersion + 0.5) ** 2 - 1.25)
    by_bin: Reals = np.repeat(divisor, BLOCK_BINS, axis=1)
    return by_bin[:, : candidate.shape[1]]


def _blocks(counts: Counts | Reals) -> Reals:
    bins = counts.shape[1]
    padded = np.pad(counts, ((0, 0), (0, -bins % BLOCK_BINS)))
    blocks: Reals = padded.reshape(counts.shape[0], -1, BLOCK_BINS).sum(axis=2).astype(np.float64)
    return blocks


def _evidence(candidate: Counts, total: Counts, share: Reals, weight: Reals, ratio: float) -> Reals:
    """Running sums of the bins' log likelihood ratios, a zero before them: shape (codes, bins + 1)."""
    nats = (candidate * np.log(ratio) - total * np.log1p((ratio - 1) * share)) * weight
    return np.concatenate([np.zeros((nats.shape[0], 1)), np.cumsum(nats, axis=1)], axis=1)


def _fired(candidate: Counts, total: Counts, share: Reals, weight: Reals, settings: Settings) -> _Alerts:
    """Bins with M >= 1/alpha that no gate keeps silent, and the length of their strongest window."""
    code, stop, nats, value = _values(candidate, total, share, weight, settings, settings.threshold_nats)
    lengths, parts = settings.lengths_and_parts
    strongest = lengths[np.where(np.isfinite(parts), nats.max(axis=2), -np.inf).argmax(axis=1)]
    fires = value >= settings.threshold_nats
    fires &= ~_is_over(nats, parts, settings.threshold_nats)
    fires &= ~_is_silent(total, total * weight, _Alerts(code, stop, strongest))
    return _Alerts(code[fires], stop[fires], strongest[fires])


def _values(
    candidate: Counts, total: Counts, share: Reals, weight: Reals, settings: Settings, least_nats: float
) -> tuple[Counts, Counts, Reals, Reals]:
    """Code, bin, log likelihood ratios (alerts, lengths, ratios) and ln M, wherever ln M may reach `least_nats`."""
    sums = [_evidence(candidate, total, share, weight, ratio) for ratio in GRID]
    lengths, parts = settings.lengths_and_parts
    best = np.full(candidate.shape, -np.inf)
    is_term = np.isfinite(parts)
    for bins, part in zip(lengths[is_term], parts[is_term], strict=True):
        for running in sums:
            np.maximum(best[:, bins - 1 :], running[:, bins:] - running[:, :-bins] + part, out=best[:, bins - 1 :])
    # The sum is at most its largest term times their number: only there it is computed.
    code, stop = np.nonzero(best >= least_nats - np.log(np.count_nonzero(is_term) * len(GRID)))
    nats = np.full((code.size, lengths.size, len(GRID)), -np.inf)
    for i, bins in enumerate(lengths):
        whole = stop >= bins - 1
        for j, running in enumerate(sums):
            ends, begins = running[code[whole], stop[whole] + 1], running[code[whole], stop[whole] + 1 - bins]
            nats[whole, i, j] = ends - begins
    terms = nats + parts[:, np.newaxis]
    top = terms.max(axis=(1, 2)) if code.size else np.zeros(0)
    value = top + np.log(np.exp(terms - top[:, np.newaxis, np.newaxis]).sum(axis=(1, 2)))
    return code, stop, nats, value


def _is_over(nats: Reals, parts: Reals, threshold_nats: float) -> Flags:
    """Where an increase that ended is a thousand times likelier than one that goes on: shape (alerts, lengths, ratios).

    What a window says more than a shorter one speaks for an increase that ended where the shorter one begins. Where a
    window still shorter says enough by itself it is not over.
    """
    if not nats.shape[0]:
        return np.zeros(0, dtype=np.bool_)
    longer = np.maximum.accumulate(nats[:, :0:-1], axis=1)[:, ::-1]
    with np.errstate(invalid="ignore"):
        ended = np.nan_to_num(longer - nats[:, :-1], nan=-np.inf).max(axis=2)
    upto = np.maximum.accumulate(np.pad(nats.max(axis=2) + parts, ((0, 0), (1, 0)), constant_values=-np.inf), axis=1)
    alone = upto[np.arange(nats.shape[0]), ended.argmax(axis=1)]
    over: Flags = (ended.max(axis=1) - nats.max(axis=(1, 2)) > CLOSING_NATS) & (alone < threshold_nats)
    return over


def _is_silent(total: Counts, weighed: Reals, alerts: _Alerts) -> Flags:
    """Where at the rate since the onset so many errors are missing that chance explains it once in a thousand times."""
    places = np.where(total > 0, np.arange(total.shape[1]), -1)
    silent = alerts.stop - np.maximum.accumulate(places, axis=1)[alerts.code, alerts.stop]
    is_silent: Flags = _window_sums(weighed, alerts, alerts.window) * silent > CLOSING_NATS * (alerts.window - silent)
    return is_silent


def _window_sums(values: Reals | Counts, alerts: _Alerts, bins: Counts) -> Reals:
    """Sums of `values` over the last `bins` bins up to the alerts' last."""
    running = np.concatenate([np.zeros((values.shape[0], 1)), np.cumsum(values, axis=1)], axis=1)
    sums: Reals = running[alerts.code, alerts.stop + 1] - running[alerts.code, alerts.stop + 1 - bins]
    return sums


def _bounds(
    alerts: _Alerts, chosen: NDArray[np.intp], candidate: Reals, total: Reals, share: Reals
) -> tuple[Reals, Reals]:
    """The time-uniform 95 % interval of the ratio in the strongest window: roots by halving in ln ratio."""
    few = _Alerts(alerts.code[chosen], alerts.stop[chosen], alerts.window[chosen])
    hits, trials = _window_sums(candidate, few, few.window), _window_sums(total, few, few.window)
    p = _window_sums(total * share, few, few.window) / trials
    prior = log_beta(1 + hits, 1 + trials - hits)
    with np.errstate(divide="ignore"):
        middle = np.log(hits / p) - np.log((trials - hits) / (1 - p))
    middle = np.clip(middle, -20, 20)

    def is_inside(log_ratio: Reals) -> Flags:
        new = p * np.exp(log_ratio) / (1 + p * np.expm1(log_ratio))
        return np.asarray(prior - hits * np.log(new) - (trials - hits) * np.log1p(-new) < WIDEST_NATS)

    bounds = []
    for far in (-25.0, 25.0):
        inside, outside = middle, np.full(middle.shape, far)
        for _ in range(60):
            half = (inside + outside) / 2
            holds = is_inside(half)
            inside, outside = np.where(holds, half, inside), np.where(holds, outside, half)
        bounds.append(np.exp(inside))
    return bounds[0], np.where(hits == trials, np.inf, bounds[1])
