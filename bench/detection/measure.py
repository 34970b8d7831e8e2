"""What a detector's findings are worth, stream by stream; tallies add up and can be kept as JSON."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from bench.detection.streams import BIN_SECONDS, DAY_BINS, Change, Counts, Findings, Flags, Stream

MERGE_SECONDS = 300
MERGE_BINS = MERGE_SECONDS // BIN_SECONDS
HOUR_BINS = 3600 // BIN_SECONDS
SOON_SECONDS, LATER_SECONDS = 600, 3600
"""Found within: 10 and 60 minutes."""


@dataclass
class Tally:
    """Sums over streams.

    Args:
        code_days: without a change: codes that never change, and the quiet hours of the others.
        false_incidents: reported in those.
        bursty_days, bursty_incidents: of these, the codes that are counted apart.
        false_open_days: how long those incidents lasted, first to last alert: a rule that is always on has few of them.
        delays: seconds from each change to the end of the first bin that alerts after it; None: not found.
        controls, controls_soon, controls_later: unchanged codes beside changed ones, and how many of them alerted in
            the 10 and 60 minutes after the change: the null's hit rate.
        resolves: seconds from a recovery to the time at which the incident first reads as resolved.
        returns: how many of those that had been resolved so were opened again by a later alert.
        running: of changes that were found, how often the incident was closed while the change ran on, and for how many
            hours it did. A later alert opens it again, or another incident.
        causes, split: changes that were found, and those whose alerts read as more than one incident.
        onset_errors: by how many seconds the onset that the first alert estimates is off.
        clients, opened, divided: bursts of one client, those with an alert within the hour and before the next, and
            those with alerts of more than one incident.
        intervals, covered: first alerts with an interval, and those whose interval holds the true ratio.
        pass_seconds: what the passes took.
    """

    code_days: float = 0.0
    false_incidents: int = 0
    bursty_days: float = 0.0
    bursty_incidents: int = 0
    false_open_days: float = 0.0
    delays: list[float | None] = field(default_factory=list)
    controls: int = 0
    controls_soon: int = 0
    controls_later: int = 0
    resolves: list[float] = field(default_factory=list)
    returns: int = 0
    running: list[tuple[int, float]] = field(default_factory=list)
    causes: int = 0
    split: int = 0
    onset_errors: list[float] = field(default_factory=list)
    clients: int = 0
    opened: int = 0
    divided: int = 0
    intervals: int = 0
    covered: int = 0
    pass_seconds: list[float] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def false_rate(self) -> float:
        """False incidents in 1,000 code-days."""
        return 1000 * self.false_incidents / self.code_days

    def found(self, within_seconds: float) -> float:
        """Share of the changes that were found so soon, less the share of unchanged codes that alerted as soon."""
        hits = sum(delay is not None and delay <= within_seconds for delay in self.delays) / len(self.delays)
        noise = self.controls_soon if within_seconds <= SOON_SECONDS else self.controls_later
        return hits - (noise / self.controls if self.controls else 0.0)

    def delay_quantile(self, part: float) -> float:
        """Of all changes, those not found as infinitely late."""
        return float(np.quantile([np.inf if one is None else one for one in self.delays], part, method="higher"))

    @property
    def mean_delay(self) -> float:
        """Of the changes that were found."""
        found = [delay for delay in self.delays if delay is not None]
        return float(np.mean(found)) if found else float("inf")


def tally(stream: Stream, found: Findings) -> Tally:
    """Hold what was found against what is true."""
    change = stream.change
    result = Tally(pass_seconds=list(found.seconds))
    if change is None:
        result.code_days = stream.codes * stream.bins / DAY_BINS
        result.false_incidents, result.false_open_days = _reported(found, np.ones(found.code.size, dtype=np.bool_))
        if stream.bursty is not None:
            result.bursty_days = float(np.count_nonzero(stream.bursty) * stream.bins) / DAY_BINS
            result.bursty_incidents, _ = _reported(found, stream.bursty[found.code])
        if stream.clients is not None:
            _add_clients(result, stream.clients, found)
        return result
    is_changed = change.codes
    quiet = np.count_nonzero(is_changed) * change.onset
    result.code_days = float(quiet + np.count_nonzero(~is_changed) * stream.bins) / DAY_BINS
    is_true = is_changed[found.code] & (found.stop >= change.onset)
    result.false_incidents, result.false_open_days = _reported(found, ~is_true)
    result.controls = int(np.count_nonzero(~is_changed))
    for seconds, name in ((SOON_SECONDS, "controls_soon"), (LATER_SECONDS, "controls_later")):
        near = ~is_changed[found.code] & _within(found.stop, change.onset, change.onset + seconds // BIN_SECONDS)
        setattr(result, name, int(np.unique(found.code[near]).size))
    for code in np.flatnonzero(is_changed):
        _add_change(result, stream, change, found, is_true & (found.code == code))
    return result


def _add_change(result: Tally, stream: Stream, change: Change, found: Findings, mine: Flags) -> None:
    """Add one changed code; `mine` are its alerts from the change on."""
    if not mine.any():
        result.delays.append(None)
        return
    stops = found.stop[mine]
    first = int(stops.min())
    result.delays.append(float((first + 1 - change.onset) * BIN_SECONDS))
    at_first = np.flatnonzero(mine)[stops == first][0]
    if not np.isnan(found.ratio_low[at_first]) and not np.isnan(change.ratio):
        result.intervals += 1
        result.covered += bool(found.ratio_low[at_first] <= change.ratio <= found.ratio_high[at_first])
    result.onset_errors.append(float(abs(int(found.start[at_first]) - change.onset) * BIN_SECONDS))
    stops = np.unique(stops)
    result.causes += 1
    result.split += bool((np.diff(stops) - 1 >= MERGE_BINS).any())
    is_running = stops < change.end
    if not is_running.any():
        return
    running = stops[is_running]
    closings = int(np.count_nonzero(np.diff(running) - 1 >= MERGE_BINS)) + bool(change.end - running[-1] > MERGE_BINS)
    result.running.append((closings, (change.end - first) * BIN_SECONDS / 3600))
    if change.end < stream.bins:
        # All alerts from the last one before the recovery on; it is resolved where the next keeps away for long enough.
        after = np.concatenate([running[-1:], stops[~is_running]])
        waits = np.diff(np.append(after, stream.bins)) - 1
        is_resolved = waits >= MERGE_BINS
        if not is_resolved.any():
            result.resolves.append(float("inf"))
            return
        last = int(after[np.argmax(is_resolved)])
        result.resolves.append(max(0.0, float((last + 1 - change.end) * BIN_SECONDS + MERGE_SECONDS)))
        result.returns += last < int(after[-1])


def _add_clients(result: Tally, clients: Counts, found: Findings) -> None:
    """Add the bursts of clients."""
    for code, begins in enumerate(clients):
        for begin, following in zip(begins, [*begins[1:], begins[-1] + HOUR_BINS], strict=True):
            mine = (found.code == code) & _within(found.stop, begin, min(following, begin + HOUR_BINS))
            incidents = np.unique(found.incident[mine]).size
            result.clients += 1
            result.opened += incidents > 0
            result.divided += incidents > 1


def _reported(found: Findings, chosen: Flags) -> tuple[int, float]:
    """How many incidents the chosen alerts were reported as, and how many days those lasted."""
    incidents, place = np.unique(found.incident[chosen], return_inverse=True)
    first, last = np.full(incidents.size, np.iinfo(np.int64).max), np.full(incidents.size, -1)
    np.minimum.at(first, place, found.stop[chosen])
    np.maximum.at(last, place, found.stop[chosen])
    return int(incidents.size), float((last - first + 1).sum()) / DAY_BINS


def _within(places: Counts, first: int, after: int) -> Flags:
    return np.asarray((places >= first) & (places < after))
