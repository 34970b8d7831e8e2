"""What every detector is given: counts per bin of both builds, when they come, and what is true of them."""

import hashlib
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

BIN_SECONDS = 10
START_SECOND = 1795392000
"""2026-11-23 00:00:00 UTC, where every stream begins."""
DAY_BINS = 86400 // BIN_SECONDS
NEVER = np.iinfo(np.int64).max
"""When records arrive that are lost."""

Counts = NDArray[np.int64]
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Layer:
    """Counts of shape (codes, bins), and when each bin of a build has come: seconds since the start, shape (bins,)."""

    baseline: Counts
    candidate: Counts
    baseline_arrival: Counts
    candidate_arrival: Counts


@dataclass(frozen=True)
class Change:
    """What is done to some of the codes: the candidate's rate is `ratio` times the baseline's from bin `onset` on.

    Args:
        codes: which, shape (codes,).
        end: the first bin after it; the number of bins where it stays.
        ratio: NaN where it is not one and the same all the time.
    """

    codes: Flags
    onset: int
    end: int
    ratio: float


@dataclass(frozen=True)
class Stream:
    """One store's worth of codes.

    Args:
        layers: their sum is the stream; records of one bin may come at different times.
        passes: when `detect` runs, seconds since the start; the last pass sees all that ever comes.
        share: the candidate's share of exposure as configured, shape (bins,); None: nothing is configured.
        share_tolerance: by how much of itself the share may be off, as configured.
        is_estimated: the share is not configured, but to be estimated.
        min_ratio: what is no more than so many times as frequent is no cause for alarm, by the settings.
        earlier: counts (codes, bins) of the comparison before, of an older build and of the baseline, up to second 0;
            None: both builds begin there.
        bursty: codes that are counted apart, shape (codes,).
        clients: the first bin of each burst of one client, in order, shape (codes, bursts).
    """

    layers: tuple[Layer, ...]
    passes: tuple[int, ...]
    share: Reals | None = None
    share_tolerance: float = 0.0
    change: Change | None = None
    is_estimated: bool = False
    earlier: tuple[Counts, Counts] | None = None
    bursty: Flags | None = None
    clients: Counts | None = None
    min_ratio: float = 1.0

    @property
    def codes(self) -> int:
        return int(self.layers[0].baseline.shape[0])

    @property
    def bins(self) -> int:
        return int(self.layers[0].baseline.shape[1])

    @property
    def shares(self) -> Reals:
        """The candidate's share, also where none is configured: shape (bins,)."""
        return np.full(self.bins, 0.5) if self.share is None else self.share

    def arrived(self) -> tuple[Counts, Counts]:
        """All that ever comes, baseline and candidate: shapes (codes, bins)."""
        baseline = sum(layer.baseline * (layer.baseline_arrival < NEVER) for layer in self.layers)
        candidate = sum(layer.candidate * (layer.candidate_arrival < NEVER) for layer in self.layers)
        return np.asarray(baseline), np.asarray(candidate)


@dataclass(frozen=True)
class Findings:
    """What a detector says about a stream: arrays of one length, an element per alert.

    Args:
        code: its number.
        start, stop: bins; the window's first (or the estimated onset) and last.
        incident: alerts with the same number were reported as one incident; also such as were taken back later.
        ratio_low, ratio_high: bounds on the ratio; NaN where the detector gives none, inf where there is no upper one.
        seconds: what each pass took.
    """

    code: Counts
    start: Counts
    stop: Counts
    incident: Counts
    ratio_low: Reals
    ratio_high: Reals
    seconds: tuple[float, ...]


def some_codes(stream: Stream, number: int | None) -> Stream:
    """So many of the codes, two of three of them changed where some are."""
    if number is None or number >= stream.codes:
        return stream
    chosen = np.arange(number)
    if stream.change is not None:
        changed, others = np.flatnonzero(stream.change.codes), np.flatnonzero(~stream.change.codes)
        chosen = np.concatenate([changed[: number - number // 3], others[: number // 3]])
    layers = tuple(
        replace(layer, baseline=layer.baseline[chosen], candidate=layer.candidate[chosen]) for layer in stream.layers
    )
    change = stream.change and replace(stream.change, codes=stream.change.codes[chosen])
    return replace(
        stream,
        layers=layers,
        change=change,
        earlier=stream.earlier and (stream.earlier[0][chosen], stream.earlier[1][chosen]),
        bursty=None if stream.bursty is None else stream.bursty[chosen],
        clients=None if stream.clients is None else stream.clients[chosen],
    )


def fingerprint(stream: Stream) -> str:
    """A hash of all that it says."""
    digest = hashlib.sha256(
        repr((stream.passes, stream.share_tolerance, stream.is_estimated, stream.min_ratio)).encode()
    )
    arrays = [getattr(layer, part.name) for layer in stream.layers for part in fields(layer)]
    optional = [array for array in (*(stream.earlier or ()), stream.bursty, stream.clients) if array is not None]
    for array in (*arrays, stream.shares, *optional):
        digest.update(np.ascontiguousarray(array).tobytes())
    if stream.change is not None:
        change = stream.change
        digest.update(repr((change.onset, change.end, change.ratio, change.codes.tolist())).encode())
    return digest.hexdigest()[:16]


def punctual(baseline: Counts, candidate: Counts) -> tuple[tuple[Layer, ...], tuple[int, ...]]:
    """Every record comes when its bin is over, and one pass judges them all."""
    bins = baseline.shape[1]
    arrival = (np.arange(bins, dtype=np.int64) + 1) * BIN_SECONDS
    return (Layer(baseline, candidate, arrival, arrival),), (bins * BIN_SECONDS,)


def chain(code: Counts, start: Counts, stop: Counts, merge_bins: int) -> Counts:
    """Number the incidents: alerts of a code that overlap, or follow each other within `merge_bins`."""
    if code.size == 0:
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((stop, start, code))
    # Codes far apart on one axis, so that a running maximum never reaches into the next.
    offset = code[order] * (int(stop.max()) + merge_bins + 10)
    reach = np.maximum.accumulate(stop[order] + 1 + offset)
    is_first = np.ones(code.size, dtype=np.bool_)
    is_first[1:] = start[order][1:] + offset[1:] > reach[:-1] + merge_bins
    is_first[1:] |= code[order][1:] != code[order][:-1]
    incident = np.empty(code.size, dtype=np.int64)
    incident[order] = np.cumsum(is_first)
    return incident


def findings(
    code: Counts, start: Counts, stop: Counts, seconds: float, low: Reals | None = None, high: Reals | None = None
) -> Findings:
    """Findings of a detector that keeps no incidents of its own: 300 s make one, as `merge_seconds` does."""
    unknown = np.full(code.size, np.nan)
    incident = chain(code, start, stop, 300 // BIN_SECONDS)
    return Findings(
        code, start, stop, incident, unknown if low is None else low, unknown if high is None else high, (seconds,)
    )
