"""What others use, on the same streams: our own implementations, judged every minute on bins of a minute."""

import time
from collections.abc import Callable

import numpy as np

from bench.detection.chances import binomial_log_tail
from bench.detection.streams import BIN_SECONDS, Counts, Findings, Flags, Reals, Stream, findings

MINUTE_BINS = 60 // BIN_SECONDS
WINDOW_MINUTES = 5
P_VALUE = 0.05

SCAN_MINUTES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233)
SCAN_DAYS_PER_FALSE_ALARM = 1000

JUDGE_MINUTES = 60
JUDGE_QUANTILE = 2.3263478740408408
"""Of the normal distribution for a two-sided confidence of 98 %."""
JUDGE_TOLERANCE = 0.25


def binomial(stream: Stream) -> Findings:
    """The last five minutes: P(K >= k) < .05 with K binomial given both builds' records. No care for many looks."""
    return _judged(stream, _binomial, WINDOW_MINUTES)


def scan(stream: Stream) -> Findings:
    """Windows of 1 to 233 minutes, each tested exactly at a level that adds up to 1 false alarm in 1,000 code-days."""
    return _judged(stream, _scan, None)


def mann_whitney(stream: Stream) -> Findings:
    """The last hour's minutes of both builds, as the judges of canary analysis compare them.

    As in Kayenta's MannWhitneyClassifier: a rise where the lower bound of the shift's 98 % interval is above .25 times
    the Hodges-Lehmann estimate; with the normal approximation R's wilcox.test uses. Counts are per exposure.
    """
    return _judged(stream, _mann_whitney, JUDGE_MINUTES)


def _judged(
    stream: Stream, test: Callable[[Reals, Reals, Reals], tuple[Flags, Counts]], minutes: int | None
) -> Findings:
    started = time.perf_counter()
    baseline, candidate = stream.arrived()
    share = _by_minute(stream.shares[np.newaxis])[0] / MINUTE_BINS
    fires, lengths = test(_by_minute(baseline), _by_minute(candidate), share)
    code, minute = np.nonzero(fires)
    length = lengths[code, minute] if minutes is None else np.full(code.size, minutes)
    stop = (minute + 1) * MINUTE_BINS - 1
    # An alert speaks for its minute: windows of hours would make one incident of all.
    start = np.maximum(stop - np.minimum(length, WINDOW_MINUTES) * MINUTE_BINS + 1, 0)
    return findings(code, start, stop, time.perf_counter() - started)


def _by_minute(values: Counts | Reals) -> Reals:
    """Sums of whole minutes, the last dimension."""
    whole = values.shape[-1] // MINUTE_BINS * MINUTE_BINS
    minutes: Reals = values[..., :whole].reshape(values.shape[0], -1, MINUTE_BINS).sum(axis=2).astype(np.float64)
    return minutes


def _trailing(values: Reals, minutes: int) -> Reals:
    """Sums over the last minutes; those that begin before the stream are 0."""
    running = np.concatenate([np.zeros((values.shape[0], 1)), np.cumsum(values, axis=1)], axis=1)
    sums = np.zeros_like(values)
    if values.shape[1] >= minutes:
        sums[:, minutes - 1 :] = running[:, minutes:] - running[:, :-minutes]
    return sums


def _tail(baseline: Reals, candidate: Reals, share: Reals, minutes: int, level: float) -> Flags:
    """Where the one-sided exact test of the last minutes is below `level`; only where it may be, it is computed."""
    k, b = _trailing(candidate, minutes), _trailing(baseline, minutes)
    n = k + b
    some = n > 0
    weighted = _trailing((baseline + candidate) * share, minutes)
    p = np.divide(weighted, n, out=np.full(n.shape, 0.5), where=some)
    # A tail is at most 1 / (1 + variance-scaled distance squared) (Cantelli): skip what is far from the level.
    distance = (k - n * p) / np.sqrt(np.maximum(n * p * (1 - p), 1e-12))
    maybe = some & (distance > 0.5)
    fires = np.zeros(k.shape, dtype=np.bool_)
    if level < 0.01:
        maybe &= _chernoff(k, n, p) < np.log(level) + 0.5 * np.log(8 * np.maximum(n, 1))
    hits, trials = k[maybe].astype(np.int64), n[maybe].astype(np.int64)
    fires[maybe] = binomial_log_tail(hits, trials, p[maybe]) < np.log(level)
    return fires


def _chernoff(k: Reals, n: Reals, p: Reals) -> Reals:
    """-n KL(k/n, p): ln of the bound, which is at most sqrt(8n) times too large."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(n > 0, k / n, 0)
        up = np.where(rate > 0, rate * np.log(rate / p), 0)
        down = np.where(rate < 1, (1 - rate) * np.log((1 - rate) / (1 - p)), 0)
    return np.asarray(-n * (up + down))


def _binomial(baseline: Reals, candidate: Reals, share: Reals) -> tuple[Flags, Counts]:
    fires = _tail(baseline, candidate, share, WINDOW_MINUTES, P_VALUE)
    return fires, np.zeros(fires.shape, dtype=np.int64)


def _scan(baseline: Reals, candidate: Reals, share: Reals) -> tuple[Flags, Counts]:
    level = 1 / (SCAN_DAYS_PER_FALSE_ALARM * 1440 * len(SCAN_MINUTES))
    fires = np.zeros(candidate.shape, dtype=np.bool_)
    lengths = np.zeros(candidate.shape, dtype=np.int64)
    for minutes in reversed(SCAN_MINUTES):
        hit = _tail(baseline, candidate, share, minutes, level)
        lengths[hit] = minutes
        fires |= hit
    return fires, lengths


def _mann_whitney(baseline: Reals, candidate: Reals, share: Reals) -> tuple[Flags, Counts]:
    size = JUDGE_MINUTES
    old, new = baseline / (1 - share) / 2, candidate / share / 2
    fires = np.zeros(candidate.shape, dtype=np.bool_)
    pairs = size * size
    spread = np.sqrt(pairs * (2 * size + 1) / 12)
    rank = int(np.floor(pairs / 2 - JUDGE_QUANTILE * spread))
    for code in range(old.shape[0]):
        for minute in range(size - 1, old.shape[1]):
            window = slice(minute - size + 1, minute + 1)
            shifts = np.subtract.outer(new[code, window], old[code, window]).ravel()
            ordered = np.partition(shifts, (rank, pairs // 2))
            fires[code, minute] = ordered[rank] > JUDGE_TOLERANCE * abs(ordered[pairs // 2])
    return fires, np.zeros(fires.shape, dtype=np.int64)
