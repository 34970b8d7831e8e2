"""The picture of docs/detection.md: `python -m bench.detection.picture FILE.png`.

A code with one error a second in both builds, in one of which it doubles for 20 minutes, judged by the SQL.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from bench.detection import ours, simulate
from bench.detection.streams import BIN_SECONDS, START_SECOND, Layer, Stream
from streammetrics.config import Config
from streammetrics.detect import passes
from streammetrics.store import views

HOUR = 3600 // BIN_SECONDS
BEGINS, ENDS, BINS = HOUR, HOUR + HOUR // 3, 2 * HOUR + HOUR // 2

# Of the ratio whose evidence is most above its threshold.
_VALUES = """
select
    (bin_second - {start}) / {width} as bin, max_by(nats, nats - threshold) / ln(10) as value,
    max_by(threshold, nats - threshold) / ln(10) as threshold,
    bin_second in (select stop_second from fired where code = 'E0') as fires
from evidence
where code = 'E0'
group by bin_second
order by bin
"""


def main(path: Path) -> None:
    """Draw the errors of both builds above, the evidence below."""
    chance = np.random.default_rng(3)
    rates = np.full((40, BINS), 10.0)
    more = rates.copy()
    more[0, BEGINS:ENDS] *= 2
    arrival = (np.arange(BINS, dtype=np.int64) + 1) * BIN_SECONDS
    stream = Stream(
        (Layer(simulate.poisson(chance, rates), simulate.poisson(chance, more), arrival, arrival),),
        (BINS * BIN_SECONDS,),
    )
    config = Config.model_validate({"rule": [ours.SEQUENTIAL]})
    with ours.store() as connection:
        ours.load(connection, stream, 0, BINS * BIN_SECONDS)
        with connection.begin():
            after, until = passes.plan(connection, config) or (0, 0)
            piece = views.Slice(after, until, passes.lead_seconds(config))
            select = _VALUES.format(start=START_SECOND, width=BIN_SECONDS)
            sql = views.compose(select, piece, suspects=views.for_people("evidence")["suspects"])
            rows = connection.exec_driver_sql(sql).all()
    bins, values, thresholds, fires = (np.array(column) for column in zip(*rows, strict=True))
    figure = Figure(figsize=(9, 5), dpi=100, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    minutes = np.arange(BINS // 6)
    (layer,) = stream.layers
    for counts, colour, label in ((layer.baseline, "#2166ac", "baseline"), (layer.candidate, "#b40420", "candidate")):
        above.step(minutes, counts[0].reshape(-1, 6).sum(axis=1), where="post", color=colour, label=label)
    above.set_ylabel("errors in a minute")
    above.legend(frameon=False, ncols=2, loc="upper right")
    below.plot(bins / 6, values, color="black", linewidth=1)
    below.plot(bins / 6, thresholds, color="grey", linestyle="--", linewidth=1)
    below.fill_between(bins / 6, 0, 1.05 * values.max(), where=fires, color="#fddbc7", label="alerts", step="post")
    below.annotate("threshold", (2, thresholds.max()), va="bottom", color="grey")
    for minute in (BEGINS / 6, ENDS / 6):
        below.axvline(minute, color="black", linewidth=0.8, linestyle=":")
        above.axvline(minute, color="black", linewidth=0.8, linestyle=":")
    below.set_ylabel("evidence, log10")
    below.set_xlabel("minutes")
    below.set_ylim(0, 1.05 * values.max())
    below.set_xlim(0, BINS / 6)
    below.legend(frameon=False, loc="upper right")
    figure.savefig(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
