"""`sequential` over long streams without a change: the SQL judges the hours in which anything can fire.

The twin in numpy, gates left out, says where the evidence reaches half of what an alert takes; all else is below,
and what is so near is judged by the SQL alone, in a store of its own with all that a pass looks back on. A test holds
what that finds against what the SQL finds in every bin.
"""

import time
from dataclasses import fields, replace

import numpy as np

from bench.detection import ours, sequential
from bench.detection.streams import BIN_SECONDS, START_SECOND, Counts, Findings, Stream
from streammetrics.detect import passes

NEAR_TIMES = 2.0
APART_BINS = 3600 // BIN_SECONDS
"""Hours that are so far apart make incidents of their own."""


def judge(stream: Stream, false_alarm_days_per_code: float = 1000) -> Findings:
    """What the SQL finds in the stream, of which every record comes in time."""
    settings = sequential.Settings(false_alarm_days_per_code, min_ratio=stream.min_ratio)
    code, stop = sequential.nearly(as_stored(stream), NEAR_TIMES, settings)
    spans = _spans(stop[code < stream.codes])
    found = [_judged(stream, false_alarm_days_per_code, *span) for span in spans]
    # Incidents of different stores are different ones.
    found = [replace(one, incident=one.incident * len(spans) + number) for number, one in enumerate(found)]
    columns = [part.name for part in fields(Findings) if part.name != "seconds"]
    joined = {name: np.concatenate([np.zeros(0, np.int64), *(getattr(one, name) for one in found)]) for name in columns}
    return Findings(**joined, seconds=tuple(sum(one.seconds) for one in found))


def as_stored(stream: Stream) -> Stream:
    """Codes in the order of their names, and last the one that fills the seconds of both builds, if there is one.

    It has part in what is estimated from all codes together, in turn of their names.
    """
    order = sorted(range(stream.codes), key=str)
    if stream.is_estimated:
        layers = tuple(
            replace(layer, baseline=layer.baseline[order], candidate=layer.candidate[order]) for layer in stream.layers
        )
        return replace(stream, layers=layers)
    layers = tuple(
        replace(
            layer,
            baseline=_with_beats(layer.baseline[order]),
            candidate=_with_beats(layer.candidate[order]),
        )
        for layer in stream.layers
    )
    earlier = stream.earlier and (_with_beats(stream.earlier[0][order]), _with_beats(stream.earlier[1][order]))
    return replace(stream, layers=layers, earlier=earlier)


def _with_beats(counts: Counts) -> Counts:
    return np.vstack([counts, np.full((1, counts.shape[1]), BIN_SECONDS)])


def _spans(bins: Counts) -> list[tuple[int, int]]:
    """The first and the last of bins that are near each other."""
    places = np.unique(bins)
    groups = np.split(places, np.flatnonzero(np.diff(places) > APART_BINS) + 1)
    return [(int(group[0]), int(group[-1])) for group in groups if group.size]


def _judged(stream: Stream, false_alarm_days_per_code: float, first: int, last: int) -> Findings:
    """What the SQL says of the bins `first` to `last`."""
    config = ours.configured(stream, false_alarm_days_per_code=false_alarm_days_per_code)
    begin, end = first * BIN_SECONDS, (last + 1) * BIN_SECONDS
    with ours.store() as connection:
        # From a whole hour on, so that no block is cut; and a minute more, so that the last bin is complete.
        since = max(begin - passes.lead_seconds(config), 0) // 3600 * 3600
        ours.load(connection, stream, since, min(end + 60, stream.passes[-1]), None)
        started = time.perf_counter()
        span = START_SECOND + begin, START_SECOND + end
        passes.judge(connection, config, ours.clock(end), portion_seconds=ours.PIECE_SECONDS, span=span)
        return ours.alerts(connection, (time.perf_counter() - started,))
