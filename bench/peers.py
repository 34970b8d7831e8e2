"""The other sides: `python -m bench.peers pandas FILE`, `polars FILE` or `bare FILE STORE MEMORY_LIMIT`.

pandas and polars count errors per second, build and code, judge both reference rules, end with a table of alerts in
memory and print how many there are by detector. They store nothing. Lateness, gaps and builds that come and go are left
out, for the file has none of them. They read texts as categories, which spares them a third of their time.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

RULES: tuple[tuple[str, int, tuple[int, ...], float], ...] = (
    ("mean_ratio", 10, (5, 10), 1.25),
    ("mean_difference", 50, (10, 20), 6.0),
)
"""Detector, seconds of a bin, bins of the windows, threshold."""


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
    builds = sorted(counters["build"].unique().cast(pl.String))
    complete_until = counters.group_by("build").agg(pl.col("second").max())["second"].min()
    pairs = counters.group_by("second", "code").agg(
        pl.col("len").filter(pl.col("build") == build).sum().cast(pl.Int64).alias(side)
        for build, side in zip(builds, "bk", strict=True)
    )
    return {rule[0]: len(_polars_alerts(pairs, complete_until, *rule)) for rule in RULES}


def _polars_alerts(
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


def load_barely(path: str, store: str, memory_limit: str) -> None:
    """DuckDB alone inserts the columns of ingest, and the counters ordered by second, in one transaction.

    The types are given, so that nothing is guessed; nothing is checked, and nobody knows afterwards what was loaded.
    """
    import duckdb

    with duckdb.connect(store, config={"memory_limit": memory_limit}) as connection:
        connection.execute("create table events (ts timestamp, build text, code text)")
        connection.execute("create table counters (second timestamp, build text, code text, errors bigint)")
        connection.execute("begin")
        columns = "columns = {'ts': 'TIMESTAMP', 'build': 'TEXT', 'code': 'TEXT'}"
        found = {
            ".csv": f"read_csv('{path}', header = true, {columns})",
            ".jsonl": f"read_json('{path}', format = 'newline_delimited', {columns})",
            ".parquet": f"read_parquet('{path}')",
        }
        connection.execute(f"insert into events from {found[Path(path).suffix]}")
        connection.execute(
            "insert into counters select date_trunc('second', ts) as second, build, code, count(*) from events\n"
            "group by all order by second"
        )
        connection.execute("commit")


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    if name == "bare":
        load_barely(*arguments)
    else:
        print(json.dumps({"pandas": with_pandas, "polars": with_polars}[name](*arguments)))
