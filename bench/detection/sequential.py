"""`sequential` in numpy, by the formulas of docs/detection.md: what the SQL is held against.

Page's CUSUM (Biometrika 41, 1954) of the log likelihood ratio over a grid of rate ratios, divided for bursts, with a
threshold in information time. Gaps and records that come late are not looked at. Shapes are (codes, bins).
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.detection.chances import log_beta
from bench.detection.streams import BIN_SECONDS, Counts, Findings, Flags, Reals, Stream, chain

GRID = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
HOUR_BINS, DAY_BINS = 3600 // BIN_SECONDS, 86400 // BIN_SECONDS
BLOCK_BINS = 120 // BIN_SECONDS
BLOCKS, REACH_BLOCKS, HOUR_BLOCKS = 180, 30, 30
PRIOR, POOL_BLOCKS, OWN_BLOCKS, WIDEST_SPREAD = 15, 6, 4, 200
"""Of dispersion: what is presumed, how many blocks of all codes and of one that counts as, and the cut."""
OWN_DEVIATIONS = np.sqrt(10)
"""A code's own dispersion counts where it is above the usual one by so many times 1 / sqrt(blocks)."""
CLOSING_NATS, WIDEST_NATS = np.log(1e3), np.log(20)
"""That it has ended; of the 95 % interval."""
PLAUSIBLE_ERRORS, PLAUSIBLE_TIMES = 2.0, 1.5
"""A bin counts so many errors, over the weight, and so many times what the ratio makes of the usual number."""
LARGEST_NATS, UNIT = 500, 2.0**-30


@dataclass(frozen=True)
class Settings:
    """As in config.toml."""

    false_alarm_days_per_code: float = 1000
    history_seconds: int = 16_000
    min_bins: int = 9
    min_ratio: float = 1.0

    @property
    def history_bins(self) -> int:
        return -(-self.history_seconds // BIN_SECONDS)


@dataclass(frozen=True)
class _Weighed:
    """The candidate's counts and those of both builds, the share that is tested, what an error counts for, and how many
    of both builds are usual in a bin (inf where that is not known); and whether the share is estimated."""

    candidate: Counts
    total: Counts
    share: Reals
    weight: Reals
    usual: Reals
    is_estimated: bool

    def of(self, codes: Counts) -> "_Weighed":
        return replace(
            self,
            candidate=self.candidate[codes],
            total=self.total[codes],
            weight=self.weight[codes],
            usual=self.usual[codes],
        )

    def latest(self) -> Counts:
        """The last bin with errors up to each bin; -1 before the first."""
        places = np.where(self.total > 0, np.arange(self.total.shape[1]), -1)
        found: Counts = np.maximum.accumulate(places, axis=1)
        return found


@dataclass(frozen=True)
class _Alerts:
    code: Counts
    stop: Counts
    start: Counts

    def sums(self, values: Reals) -> Reals:
        """Of `values` since the onset."""
        running = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        found: Reals = running[self.code, self.stop + 1] - running[self.code, self.start]
        return found


def judge(stream: Stream, settings: Settings | None = None) -> Findings:
    """All that comes, judged at every bin."""
    started = time.perf_counter()
    weighed = _weighed(stream)
    alerts = _fired(weighed, settings or Settings(min_ratio=stream.min_ratio))
    incident = chain(alerts.code, alerts.start, alerts.stop, 300 // BIN_SECONDS)
    low, high = (np.full(alerts.code.size, np.nan) for _ in range(2))
    _, first = np.unique(incident, return_index=True)
    low[first], high[first] = _bounds(weighed, _Alerts(alerts.code[first], alerts.stop[first], alerts.start[first]))
    return Findings(alerts.code, alerts.start, alerts.stop, incident, low, high, (time.perf_counter() - started,))


def nearly(stream: Stream, times: float, settings: Settings) -> tuple[Counts, Counts]:
    """Codes and bins whose evidence is at least a `times`-th of what it takes, whether or not a gate holds it back."""
    weighed = _weighed(stream)
    latest = weighed.latest()
    excess = np.where(
        latest < 0, -np.inf, np.take_along_axis(_excess(weighed, settings), np.maximum(latest, 0), axis=1)
    )
    code, stop = np.nonzero(excess >= -np.log(times))
    return code, stop


def _weighed(stream: Stream) -> _Weighed:
    baseline, candidate = stream.arrived()
    total = baseline + candidate
    shares, tested = stream.shares, stream.shares
    if stream.is_estimated:
        shares, tested = estimates(candidate, total, stream.earlier and stream.earlier[1])
    share = np.minimum(tested * (1 + stream.share_tolerance), 1 - 1e-9)
    counts_for = weights(candidate, total, shares, stream.earlier)
    return _Weighed(candidate, total, share, counts_for, usual_errors(total), stream.is_estimated)


def usual_errors(total: Counts) -> Reals:
    """The mean of a bin in the blocks with errors of the hour before each block; inf where there is none."""
    n = _blocks(total)
    stop = np.arange(n.shape[1])
    start = np.maximum(stop - HOUR_BLOCKS, 0)

    def trailing(values: Reals) -> Reals:
        sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        found: Reals = sums[:, stop] - sums[:, start]
        return found

    blocks = trailing((n > 0).astype(np.float64))
    usual = np.where(blocks > 0, trailing(n) / np.maximum(blocks, 1) / BLOCK_BINS, np.inf)
    by_bin: Reals = np.repeat(usual, BLOCK_BINS, axis=1)
    return by_bin[:, : total.shape[1]]


def estimates(candidate: Counts, total: Counts, before: Counts | None = None) -> tuple[Reals, Reals]:
    """The share that the hour before each bin's block tells, and the highest that it may be: shapes (bins,).

    Codes count from the bin after the first in which the baseline sent them; `before` is what it sent earlier.
    """
    sent = np.cumsum(np.pad(total - candidate, ((0, 0), (1, 0))), axis=1)[:, :-1]
    is_known = sent + (0 if before is None else before.sum(axis=1, keepdims=True)) > 0
    names = [hashlib.md5(f"E{code}".encode(), usedforsecurity=False).hexdigest()[:2] for code in range(len(total))]
    groups, group = np.unique(names, return_inverse=True)
    together = np.arange(groups.size)[:, np.newaxis] == group
    known = (together @ _blocks(counts * is_known) for counts in (candidate, total))
    k, n = (np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1) for counts in known)
    starts = np.arange(k.shape[1] - 1)
    since = np.maximum(starts - HOUR_BLOCKS, 0)
    shares = [
        _estimate(*hour) for hour in zip((k[:, starts] - k[:, since]).T, (n[:, starts] - n[:, since]).T, strict=True)
    ]
    found: Reals = np.repeat(np.clip(shares, 1e-4, 1 - 1e-4), BLOCK_BINS, axis=0)[: candidate.shape[1]]
    return found[:, 0], found[:, 1]


def _estimate(k: Reals, n: Reals) -> tuple[float, float]:
    """The share in the middle half of the votes of an hour, and Wilson's bound a standard error above it."""
    k, n = k[n > 0], n[n > 0]
    if not n.size:
        return 0.5, 0.5
    rest = n.sum() - n.max()
    rate = min(k.sum() - k.max(), (n - k).sum() - (n - k).max()) / rest if rest else 0.0
    _, vote = np.unique(np.floor(np.cumsum(n) * rate / 20), return_inverse=True)
    hits_of, trials_of = np.bincount(vote, k), np.bincount(vote, n)
    place = np.argsort(np.argsort(hits_of / trials_of, kind="stable")) + 1
    middle = (4 * place - 2 >= place.size) & (4 * place - 2 <= 3 * place.size)
    hits, trials = float(hits_of[middle].sum()), float(trials_of[middle].sum())
    return hits / trials, (hits + 0.5 + np.sqrt(hits * (trials - hits) / trials + 0.25)) / (trials + 1)


def weights(candidate: Counts, total: Counts, share: Reals, earlier: tuple[Counts, Counts] | None = None) -> Reals:
    """What an error counts for, by the dispersion of its code and of all codes in the last 180 blocks of 2 minutes."""
    spread, known = _spreads(candidate, total, share)
    before = 0
    if earlier is not None:
        old = _spreads(earlier[1], earlier[0] + earlier[1], np.full(earlier[0].shape[1], 0.5))
        before = old[0].shape[1]
        spread, known = (np.concatenate(parts, axis=1) for parts in zip(old, (spread, known), strict=True))
    stop = np.arange(spread.shape[1])
    start = np.maximum(stop - BLOCKS, 0)

    def trailing(values: Reals) -> Reals:
        sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        found: Reals = sums[:, stop] - sums[:, start]
        return found[:, before:]

    spread, known = trailing(spread), trailing(known)
    pool = (POOL_BLOCKS * PRIOR + spread.sum(axis=0)) / (POOL_BLOCKS + known.sum(axis=0))
    own = (OWN_BLOCKS * pool + spread) / (OWN_BLOCKS + known)
    after = np.pad(own[:, 1:], ((0, 0), (0, 1)), mode="edge")
    usual = _usual(np.where(_blocks(total) > 0, after, np.nan))
    is_own = ~(own <= np.maximum(usual, 1) * (1 + OWN_DEVIATIONS / np.sqrt(OWN_BLOCKS + known)))
    dispersion = np.maximum(np.where(is_own, own, usual), 1)
    by_bin: Reals = np.repeat(1 / np.sqrt((dispersion + 0.5) ** 2 - 1.25), BLOCK_BINS, axis=1)
    return by_bin[:, : candidate.shape[1]]


def _usual(after: Reals) -> Reals:
    """The median over the codes in the last block with errors before each, as of its end; NaN before the first."""
    some = np.flatnonzero(~np.isnan(after).all(axis=0))
    found = np.full(after.shape[1], np.nan)
    if some.size:
        found[some] = np.nanmedian(after[:, some], axis=0)
    place = np.searchsorted(some, np.arange(after.shape[1])) - 1
    if not some.size:
        return found
    is_near = (place >= 0) & (np.arange(after.shape[1]) - some[place] <= REACH_BLOCKS)
    return np.where(is_near, found[some[place]], np.nan)


def _spreads(candidate: Counts, total: Counts, share: Reals) -> tuple[Reals, Reals]:
    """Of each block beside the last one before it with errors: square over variance, and whether that is known."""
    k, n, e = _blocks(candidate), _blocks(total), _blocks(total * share)
    place = np.arange(k.shape[1])
    latest = np.maximum.accumulate(np.where(n > 0, place, -1), axis=1)
    before = np.pad(latest, ((0, 0), (1, 0)), constant_values=-1)[:, :-1]
    k0, n0, e0 = (np.take_along_axis(values, np.maximum(before, 0), axis=1) for values in (k, n, e))
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (k + k0) * e * e0 - ((k + k0) * e * e0 / (e + e0)) ** 2 * (1 / n + 1 / n0)
        spread = np.minimum((k * e0 - k0 * e) ** 2 / variance * (n + n0 - 1) / (n + n0), WIDEST_SPREAD)
        is_known = (n > 0) & (before >= 0) & (place - before <= REACH_BLOCKS) & (variance > 1e-9 * e * e0 * (e + e0))
    return np.where(is_known, np.floor(spread * 2**20 + 0.5) / 2**20, 0), is_known.astype(np.float64)


def _blocks(counts: Counts | Reals) -> Reals:
    bins = counts.shape[1]
    padded = np.pad(counts, ((0, 0), (0, -bins % BLOCK_BINS)))
    blocks: Reals = padded.reshape(counts.shape[0], -1, BLOCK_BINS).sum(axis=2).astype(np.float64)
    return blocks


def _evidence(weighed: _Weighed, settings: Settings) -> Iterator[tuple[Reals, Reals, Reals]]:
    """For each ratio: running sums of gains with a zero before them, the evidence, and the threshold."""
    k, n, p = weighed.candidate * weighed.weight, weighed.total * weighed.weight, weighed.share
    alarm_bins, fine = settings.false_alarm_days_per_code * DAY_BINS, settings.min_ratio
    for ratio in (ratio for ratio in GRID if ratio > fine):
        worth = np.log1p((ratio - 1) * p) - np.log1p((fine - 1) * p)
        plausible = PLAUSIBLE_ERRORS / weighed.weight + PLAUSIBLE_TIMES * weighed.usual * (1 + (ratio - 1) * p)
        gain = k * np.log(ratio / fine) - n * worth
        gain = np.where(gain > 0, gain * np.minimum(plausible / np.maximum(weighed.total, 1), 1), gain)
        gain = np.clip(gain, -LARGEST_NATS, LARGEST_NATS)
        running = np.cumsum(np.pad(np.floor(gain / UNIT + 0.5), ((0, 0), (1, 0))), axis=1)
        loss = weighed.usual * weighed.weight * (worth - _fine(p, fine) * np.log(ratio / fine))
        nats = (running[:, 1:] - _least(running[:, :-1], settings.history_bins)) * UNIT
        yield running, np.maximum(nats, 0), np.log(np.clip(3 * loss * alarm_bins, DAY_BINS, alarm_bins))


def _least(values: Reals, bins: int) -> Reals:
    """The least of the last `bins`: prefixes and suffixes of stretches of that length (van Herk 1992)."""
    codes, width = values.shape
    bins = min(bins, width)
    whole = -(-width // bins) * bins
    padded = np.pad(values, ((0, 0), (0, whole - width)), constant_values=np.inf)
    stretches = padded.reshape(codes, whole // bins, bins)
    least = np.minimum.accumulate(stretches, axis=2).reshape(codes, whole)[:, :width]
    ahead = np.minimum.accumulate(stretches[:, :, ::-1], axis=2)[:, :, ::-1].reshape(codes, whole)
    least[:, bins - 1 :] = np.minimum(least[:, bins - 1 :], ahead[:, : width - bins + 1])
    return least


def _excess(weighed: _Weighed, settings: Settings) -> Reals:
    """By how many nats the evidence for the best ratio is above its threshold."""
    excess = np.full(weighed.total.shape, -np.inf)
    for _, nats, threshold in _evidence(weighed, settings):
        np.maximum(excess, nats - threshold, out=excess)
    return excess


def _fired(weighed: _Weighed, settings: Settings) -> _Alerts:
    """Bins with errors with evidence enough that no gate holds back, and those up to the next, for an hour at most."""
    is_enough = (_excess(weighed, settings) >= 0) & (weighed.total > 0)
    codes = np.flatnonzero(is_enough.any(axis=1))
    few = weighed.of(codes)
    running, nats, threshold = (np.array(part) for part in zip(*_evidence(few, settings), strict=True))
    found = []
    for place, code in enumerate(codes):
        ends = np.append(np.flatnonzero(few.total[place]), few.total.shape[1])
        for stop in np.flatnonzero(is_enough[code]).tolist():
            least = threshold[:, place, stop]
            onset, ratio = _onset(running[:, place], nats[:, place], least, stop, settings)
            if onset is None or _is_brief(few, place, onset, stop, settings):
                continue
            if not _is_common(weighed, int(code), onset, stop, float(least[ratio]), settings.min_ratio):
                end = min(int(ends[np.searchsorted(ends, stop) + 1]), stop + HOUR_BINS)
                found += [(code, held, onset) for held in range(stop, end)]
    columns = np.array(found, dtype=np.int64).reshape(-1, 3).T
    alerts = _Alerts(columns[0], columns[1], columns[2])
    speaks = ~_is_silent(weighed, alerts)
    return _Alerts(alerts.code[speaks], alerts.stop[speaks], alerts.start[speaks])


def _onset(running: Reals, nats: Reals, threshold: Reals, stop: int, settings: Settings) -> tuple[int | None, int]:
    """Of the ratio that is most above its threshold, and that ratio's place; None where that is not enough.

    Of the ratio with the most evidence within the history, the later of that bin and of the one with its highest sum is
    where an increase may have ended: where the sum has fallen since by ln 1000, what came after it counts. Of that a
    smaller one may have ended: where the evidence for the best ratio has fallen by ln 1000 from its highest.
    """
    first = max(stop - settings.history_bins + 1, 0)
    best = nats[:, first : stop + 1].max(axis=0)
    peak = stop - int(best[::-1].argmax())
    sums = running[int(nats[:, peak].argmax())]
    top = stop - int(sums[first + 1 : stop + 2][::-1].argmax())
    end = max(peak, top)
    since = first
    if (sums[end + 1] - sums[stop + 1]) * UNIT > CLOSING_NATS:
        since = end + 1
        rises = running[:, since + 1 : stop + 2] - np.minimum.accumulate(running[:, since : stop + 1], axis=1)
        highest = rises.max(axis=0)
        if (highest.max() - highest[-1]) * UNIT > CLOSING_NATS:
            since += int(highest.argmax()) + 1
    least = running[:, since : stop + 1].min(axis=1)
    excess = (running[:, stop + 1] - least) * UNIT - threshold
    ratio = int(excess.argmax())
    if excess[ratio] < 0:
        return None, ratio
    return since + int(np.flatnonzero(running[ratio, since : stop + 1] == least[ratio])[-1]), ratio


def _is_brief(weighed: _Weighed, code: int, onset: int, stop: int, settings: Settings) -> bool:
    """Whether the candidate's excess errors since the onset lie as closely as in `min_bins` bins: of one client."""
    n, p = weighed.total[code, onset : stop + 1], _fine(weighed.share[onset : stop + 1], settings.min_ratio)
    excess = weighed.candidate[code, onset : stop + 1] - n * p
    return bool(excess.sum() ** 2 <= settings.min_bins * (excess**2 - n * p * (1 - p)).sum())


def _fine(share: Any, ratio: float) -> Any:
    """The candidate's share of the errors where its rate is higher by a ratio."""
    return ratio * share / (1 + (ratio - 1) * share)


def _others(weighed: _Weighed, code: int, onset: int, stop: int) -> tuple[float, float]:
    """Errors of the candidate and of both builds since the onset, of the half of the other codes that rose least.

    No code counts for more than codes do on average. None where the share is given, and of one other code.
    """
    k, n = (counts[:, onset : stop + 1].sum(axis=1) for counts in (weighed.candidate, weighed.total))
    others = np.flatnonzero((n > 0) & (np.arange(n.size) != code))
    if others.size < 2 or not weighed.is_estimated:
        return 0.0, 0.0
    share, weight = k[others] / n[others], np.minimum(n[others], n[others].mean())
    order = np.argsort(share, kind="stable")
    share, weight = share[order], weight[order]
    reach = np.cumsum(weight)
    lower = 2 * (reach - weight) < weight.sum()
    return float((share * weight)[lower].sum()), float(weight[lower].sum())


def _share_since(weighed: _Weighed, code: int, onset: int, stop: int, share: float) -> float:
    """A mean share since the onset, or the higher one that other codes tell, beside 20 errors at that."""
    k, n = _others(weighed, code, onset, stop)
    return max(share, (k + 20 * share) / (n + 20))


def _is_common(weighed: _Weighed, code: int, onset: int, stop: int, threshold: float, fine: float) -> bool:
    """Whether other codes rise alike, and what is left of the evidence is too little."""
    since = slice(onset, stop + 1)
    total = weighed.total[code, since]
    n, k = float(total.sum()), float(weighed.candidate[code, since].sum())
    tested = float((total * weighed.share[since]).sum()) / n
    raised = _share_since(weighed, code, onset, stop, tested)
    if raised <= tested:
        return False
    p = _fine(raised, fine)
    nats = sum(count * np.log(count / (n * part)) for count, part in ((k, p), (n - k, 1 - p)) if count)
    weight = float((total * weighed.weight[code, since]).sum()) / n
    return bool(k <= n * p or weight * nats < threshold)


def _is_silent(weighed: _Weighed, alerts: _Alerts) -> Flags:
    """Where at the rate since the onset so many errors are missing that chance explains it once in a thousand times."""
    last = weighed.latest()[alerts.code, alerts.stop]
    missed = alerts.sums(weighed.total * weighed.weight) * (alerts.stop - last)
    is_silent: Flags = missed > CLOSING_NATS * (last - alerts.start + 1)
    return is_silent


def _bounds(weighed: _Weighed, alerts: _Alerts) -> tuple[Reals, Reals]:
    """The time-uniform 95 % interval of the ratio since the onset: roots by halving in ln ratio."""
    counted = weighed.total * weighed.weight
    hits, trials = alerts.sums(weighed.candidate * weighed.weight), alerts.sums(counted)
    p = alerts.sums(counted * weighed.share) / trials
    raised = [_share_since(weighed, *where) for where in zip(alerts.code, alerts.start, alerts.stop, p, strict=True)]
    p = np.array(raised, np.float64)
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
