"""The reference rules in pandas and polars: `python -m bench.peers.frames pandas FILE` or `polars FILE`.

They count errors per second, build and code, judge both reference rules, end with a table of alerts in
memory and print how many there are by detector. They store nothing. Lateness, gaps and builds that come and go are left
out, for the file has none of them. They read texts as categories, which spares them a third of their time.
"""

import json
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from bench.peers.judge import MINUTE, Incident, merged

if TYPE_CHECKING:
    import polars as pl

    from bench.peers.events import Events

RULES: tuple[tuple[str, int, tuple[int, ...], float], ...] = (
    ("mean_ratio", 10, (5, 10), 1.25),
    ("mean_difference", 50, (10, 20), 6.0),
)
"""Detector, seconds of a bin, bins of the windows, threshold."""

MERGE_SECONDS, REPLAYED_SECONDS = 300, 1200


def with_pandas(path: str) -> dict[str, int]:
    """Wide frames: seconds down, codes across; bins by a group-by, windows by rolling means."""
    import pandas as pd

    kinds = {"build": "category", "code": "category"}
    records = pd.read_csv(path, dtype=kinds, parse_dates=["ts"], date_format="%Y-%m-%d %H:%M:%S")
    keys = [records["ts"].dt.floor("s").rename("second"), "build", "code"]
    wide = records.groupby(keys, observed=True).size().unstack(["build", "code"], fill_value=0)
    wide.index = (wide.index - pd.Timestamp(0)) // pd.Timedelta(seconds=1)
    builds = sorted(records["build"].cat.categories)
    complete_until = min(wide.index[wide[build].sum(axis=1) > 0].max() for build in builds)
    b, k = (wide[build].reindex(columns=records["code"].cat.categories, fill_value=0) for build in builds)
    return {rule[0]: len(_pandas_alerts(b, k, complete_until, *rule)) for rule in RULES}


def _pandas_alerts(
    b: Any, k: Any, complete_until: int, detector: str, width: int, windows: tuple[int, ...], threshold: float
) -> Any:
    """Alerts of a rule; `b` and `k`: errors of baseline and candidate by active second and code."""
    import pandas as pd

    values = k - b
    if detector == "mean_ratio":
        values = (k / b / width).mask((b == 0) & (k > 0), 0.05 * width).mask((b == 0) & (k == 0), 1 / width)
    grid = range(b.index[0] // width * width, complete_until // width * width, width)
    bins, b_bins, k_bins = (
        frame.groupby(frame.index // width * width).sum().reindex(grid, fill_value=0) for frame in (values, b, k)
    )
    found = []
    for length in windows:
        means = bins.rolling(length).mean().round(9)
        b_sums, k_sums = b_bins.rolling(length).sum(), k_bins.rolling(length).sum()
        fires = (means > threshold) & (b_sums + k_sums > 0)
        columns = {"value": means, "baseline_errors": b_sums, "candidate_errors": k_sums}
        alerts = pd.DataFrame({name: frame.where(fires).stack() for name, frame in columns.items()}).dropna()
        found.append(alerts.assign(window_bins=length, threshold=threshold))
    return pd.concat(found)


def with_polars(path: str) -> dict[str, int]:
    """Long frames: one lazy query from the file to the counters, then bins, and rolling means over each code."""
    import polars as pl

    schema = pl.Schema({"ts": pl.Datetime("us"), "build": pl.Categorical(), "code": pl.Categorical()})
    second = pl.col("ts").dt.epoch("s").alias("second")
    counters = pl.scan_csv(path, schema=schema).group_by(second, "build", "code").len().collect(engine="streaming")
    pairs, complete_until = pairs_of(counters.with_columns(pl.col("build").cast(pl.String)))
    return {rule[0]: len(polars_alerts(pairs, complete_until, *rule)) for rule in RULES}


def pairs_of(counters: "pl.DataFrame") -> tuple["pl.DataFrame", Any]:
    """Errors of both builds by second and code, and the last second that both have; the baseline's name sorts first."""
    import polars as pl

    complete_until = counters.group_by("build").agg(pl.col("second").max())["second"].min()
    pairs = counters.group_by("second", "code").agg(
        pl.col("len").filter(pl.col("build") == build).sum().cast(pl.Int64).alias(side)
        for build, side in zip(sorted(counters["build"].unique()), "bk", strict=True)
    )
    return pairs, complete_until


def polars_alerts(
    pairs: "pl.DataFrame", complete_until: Any, detector: str, width: int, windows: tuple[int, ...], threshold: float
) -> "pl.DataFrame":
    """Alerts of a rule; `pairs`: second, code, b and k, where there are any errors."""
    import polars as pl

    is_ratio = detector == "mean_ratio"
    bin_second = (pl.col("second") // width * width).alias("bin")
    ratio = pl.when(pl.col("b") > 0).then(pl.col("k") / pl.col("b") / width).otherwise(0.05 * width)
    value = (ratio if is_ratio else pl.col("k") - pl.col("b")).sum().alias("value")
    quiet = (pl.col("active") - pl.col("len")) / width if is_ratio else 0.0
    bins = pairs.group_by("code", bin_second).agg(value, pl.col("b", "k").sum(), pl.len())
    active = pairs.group_by(bin_second).agg(pl.col("second").n_unique().alias("active"))
    first: Any = active["bin"].min()
    grid = pl.select(bin=pl.int_range(first, complete_until // width * width, width)).join(active, "bin", how="left")
    filled = bins.select("code").unique().join(grid, how="cross").join(bins, ["code", "bin"], how="left")
    filled = filled.with_columns(pl.col("active", "value", "b", "k", "len").fill_null(0)).sort("code", "bin")
    filled = filled.with_columns(pl.col("value") + quiet)
    found = []
    for length in windows:
        means = pl.col("value").rolling_mean(length).over("code").round(9)
        sums = pl.col("b", "k").rolling_sum(length).over("code")
        alerts = filled.select("code", "bin", means, sums, window_bins=length, threshold=threshold)
        found.append(alerts.filter((pl.col("value") > threshold) & (pl.col("b") + pl.col("k") > 0)))
    return pl.concat(found)


def prepare() -> None:
    """Nothing to start."""


def alerts(events: "Events") -> list[Incident]:
    """`mean_ratio` by polars, every minute over the last twenty minutes of what has come in.

    A program without a store: a late batch is counted where it belongs, once it has come. What was not found a minute
    ago is new.
    """
    import polars as pl

    moments: dict[str, list[int]] = defaultdict(list)
    reported: set[tuple[Any, ...]] = set()
    for now in range(MINUTE, events.seconds + 1, MINUTE):
        came = events.frame.filter((pl.col("seen") < now) & (pl.col("second") >= now - REPLAYED_SECONDS))
        if came["is_candidate"].n_unique() < 2:
            continue
        counters = came.group_by("second", pl.col("is_candidate").alias("build"), "code").len()
        pairs, complete_until = pairs_of(counters)
        found = set(polars_alerts(pairs, complete_until, *RULES[0]).select("code", "bin", "window_bins").iter_rows())
        for code, *_ in found - reported:
            moments[code].append(now)
        reported |= found
    return merged(moments, MERGE_SECONDS, events.seconds)


if __name__ == "__main__":
    name, path = sys.argv[1:]
    print(json.dumps({"pandas": with_pandas, "polars": with_polars}[name](path)))
