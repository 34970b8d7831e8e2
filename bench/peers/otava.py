"""Apache Otava: change points in the candidate's part of each code's records, as in `bench/detection/foreign.py`.

Its settings are the defaults that https://github.com/apache/otava/blob/master/docs/API.md names, windows of 50 points
and p < .001: nothing is configured. A point is five minutes of what came in; the series is analyzed again with each
point, as with each commit. Users are given. A change point has no end: nothing is resolved.
"""

import numpy as np

from bench.detection.foreign import otava
from bench.peers.events import Events
from bench.peers.judge import Incident

BIN_SECONDS = 10


def prepare() -> None:
    """Nothing to start."""


def alerts(events: Events) -> list[Incident]:
    counts = events.counts(BIN_SECONDS)
    codes, _, stops = otava(counts[:, 0], counts[:, 1], np.full(counts.shape[2], events.share))
    return [Incident(events.codes[code], (stop + 1) * BIN_SECONDS) for code, stop in zip(codes, stops, strict=True)]
