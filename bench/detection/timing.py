"""What a pass costs: 40 codes and 24 hours from scratch, and the newest minute after that, in a store on disk."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bench.detection import ours, simulate
from bench.detection.streams import BIN_SECONDS, DAY_BINS, Layer, Stream
from bench.measure import YARDSTICK_SECONDS, yardstick
from streammetrics import detect
from streammetrics.config import Config
from streammetrics.session import utc_now
from streammetrics.store import Store

DAY_SECONDS, MINUTE_SECONDS = 1.5, 0.3
"""The targets, where the yardstick takes YARDSTICK_SECONDS."""

_MINUTES = 5


@dataclass(frozen=True)
class Timing:
    """Seconds of passes, over the day and over each of the minutes after it, and of the yardstick before each.

    A process that starts stands for the machine's speed: what a query of two threads takes need not follow it closely.
    """

    day: float
    minutes: tuple[float, ...]
    yardsticks: tuple[float, ...]

    def rows(self) -> Iterator[tuple[str, str, str, bool]]:
        """What, seen, target, whether it is met."""
        first, *others = self.yardsticks
        minutes = [seconds / yardstick for seconds, yardstick in zip(self.minutes, others, strict=True)]
        for what, seconds, ratio, limit in (
            ("a pass over 40 codes x 24 h", self.day, self.day / first, DAY_SECONDS),
            ("the usual pass", median(self.minutes), median(minutes), MINUTE_SECONDS),
        ):
            allowed = limit / YARDSTICK_SECONDS
            target = f"<= {allowed:.2f}: {limit:g} s where a yardstick takes {YARDSTICK_SECONDS:g} s"
            yield what, f"{seconds:.3g} s, {ratio:.2f} yardsticks", target, ratio <= allowed


def measured() -> Timing:
    """Run `sequential` over codes whose rates are spread evenly on a log scale from .02 to 2 a second."""
    chance = np.random.default_rng(1)
    bins = DAY_BINS + _MINUTES * 6
    means = np.repeat(np.geomspace(0.2, 20, 40)[:, np.newaxis], bins, axis=1)
    arrival = (np.arange(bins, dtype=np.int64) + 1) * BIN_SECONDS
    layer = Layer(simulate.poisson(chance, means), simulate.poisson(chance, means), arrival, arrival)
    passes = tuple(86400 + 60 * minute for minute in range(_MINUTES + 1))
    stream = Stream((layer,), passes)
    config = Config.model_validate({"rule": [ours.SEQUENTIAL]})
    seconds, yardsticks = [], []
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "timing.duckdb").write() as connection:
        # Where pandas is installed DuckDB imports it at the first bound parameter; who runs the job has none.
        connection.exec_driver_sql("select ?", (1,))
        connection.commit()
        since = 0
        for until in passes:
            ours.load(connection, stream, since, until)
            yardsticks.append(yardstick().seconds)
            started = time.perf_counter()
            detect.judge(connection, config, utc_now)
            seconds.append(time.perf_counter() - started)
            since = until
    return Timing(seconds[0], tuple(seconds[1:]), tuple(yardsticks))
