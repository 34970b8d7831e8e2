"""The budgets, one group of rows each: what is run against what, and the limit."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from bench.measure import YARDSTICK_SECONDS, Ran, Row, alternate, peaks, python, say, seconds, yardstick
from bench.outputs import published
from bench.sequential import codes, late
from bench.workshop import MEMORY_LIMIT, ROOT, Workshop

EPOCH = datetime(2026, 11, 23)
"""When made records begin."""

SET_A_SECONDS = 20.0
"""The reference program on Set A, which is not in this repository: the lower end of the 20 to 26 s that were seen."""

SPOOL_RECORDS = 1_000_000
SPOOL_RECORDS_A_SECOND = 20_000


def ingest(shop: Workshop) -> list[Row]:
    """Ingest of each format against DuckDB alone."""
    return [
        row
        for limit, path in ((1.0, shop.day), (1.5, shop.day_as(".jsonl")), (1.25, shop.day_as(".parquet")))
        for row in _against_bare(shop, path, limit)
    ]


def _against_bare(shop: Workshop, path: Path, limit: float) -> list[Row]:
    config = shop.config("ingest", path)

    def bare() -> Ran:
        shop.forget("bare")
        return python("bench.bare", path, shop.folder / "bare.duckdb", MEMORY_LIMIT)

    ours, others = alternate(shop.pairs, lambda: shop.ingest_anew(config), bare)
    what = f"ingest 10 M records{path.suffix}"
    return [
        Row(f"{what} / bare DuckDB", seconds(ours), limit, seconds(others)),
        Row(f"memory: {what}", peaks(ours), 1000, unit="MB"),
    ]


def damaged(shop: Workshop) -> list[Row]:
    """Ingest of a CSV with bad lines against the clean one."""
    configs = [shop.config("clean", shop.day)]
    configs += [shop.config(f"damaged-{every}", shop.damaged_day(every)) for every in (10_000_000, 100)]
    clean, *others = alternate(shop.pairs, *(lambda config=config: shop.ingest_anew(config) for config in configs))
    names = ("with a bad line", "with 1 % bad lines")
    return [
        Row(f"ingest 10 M records {name} / clean", seconds(runs), 1.5, seconds(clean))
        for name, runs in zip(names, others, strict=True)
    ]


def spool(shop: Workshop) -> list[Row]:
    """10,000 files of 100 lines: what a million records of the day take so, and as one file."""
    config, whole = shop.config("spool", f"{shop.spool}/*.csv"), shop.config("whole", shop.spool.with_suffix(".csv"))
    many, one, yardsticks = alternate(
        shop.pairs, lambda: shop.ingest_anew(config), lambda: shop.ingest_anew(whole), yardstick
    )
    return [
        _limited("a spool of 10,000 files of 100 lines", many, SPOOL_RECORDS / SPOOL_RECORDS_A_SECOND, yardsticks),
        Row("a spool of 10,000 files of 100 lines / one file", seconds(many), 3, seconds(one)),
        Row("memory: a spool of 10,000 files", peaks(many), 1000, unit="MB"),
    ]


def growing(shop: Workshop) -> list[Row]:
    """1,000 lines that a file of 10 million has grown by, against the same as a file of their own."""
    config, small = shop.config("grown", shop.grown), shop.config("small", shop.folder / "small.csv")
    shop.ingest(config)

    def append() -> Ran:
        with shop.grown.open("ab") as stream:
            stream.write(shop.thousand_lines())
        return shop.ingest(config)

    def alone() -> Ran:
        (shop.folder / "small.csv").write_bytes(b"ts,build,code\n" + shop.thousand_lines())
        return shop.ingest_anew(small)

    grown, others = alternate(shop.pairs, append, alone)
    return [Row("1,000 lines more of a file of 10 M / a file of 1,000", seconds(grown), 1.5, seconds(others))]


def peers(shop: Workshop) -> list[Row]:
    """Ingest and detect, in one process as `run` has them, against pandas and polars, which keep nothing."""
    config = shop.config("peers", shop.day)
    own, *others = alternate(
        shop.pairs,
        lambda: shop.judge_anew(config),
        lambda: python("bench.peers.frames", "pandas", shop.day),
        lambda: python("bench.peers.frames", "polars", shop.day),
    )
    alerts = shop.alerts(config)
    rows = []
    for name, limit, runs in zip(("pandas", "polars"), (1.0, 0.85), others, strict=True):
        if (found := json.loads(runs[0].printed)) != alerts:
            raise RuntimeError(f"{name} found {found}, but we {alerts}: that is not the same work")
        what = f"ingest + detect 10 M records / {name}"
        rows.append(Row(what, seconds(own), limit, seconds(runs), note=f"both find {alerts}"))
    return rows


def history(shop: Workshop) -> list[Row]:
    """A pass over the newest minute, after a year and after a day."""
    year, day = shop.histories

    def alternated(minutes: range, judge: Callable[[Path], Ran]) -> tuple[list[Ran], ...]:
        waiting = {config: iter(minutes) for config in shop.histories}

        def fed(config: Path) -> Ran:
            shop.feed(config, next(waiting[config]))
            return judge(config)

        return alternate(len(minutes), lambda: fed(year), lambda: fed(day))

    # A pass of .15 s differs by a quarter from the next one: more of them.
    most = 3 * shop.pairs
    pure = alternated(range(most), lambda config: python("bench.inside", "pass", config))
    whole = alternated(range(most, 2 * most), shop.detect)
    return [
        Row("newest minute, the pass: 365 days / 1 day", _printed(pure[0]), 1.15, _printed(pure[1])),
        Row("newest minute, `detect`: 365 days / 1 day", seconds(whole[0]), 1.15, seconds(whole[1])),
    ]


def idle(shop: Workshop) -> list[Row]:
    """`run` with nothing new."""
    rows = []
    for name, config in (("a day of 10 M records", shop.judged_day[0]), ("365 days", shop.histories[0])):
        # A history that ends months ago looks like a clock that is ahead.
        shop.run(config, "--accept-clock")
        runs, yardsticks = alternate(shop.pairs, lambda: shop.run(config), yardstick)  # noqa: B023 is called here
        rows.append(_limited(f"`run` with nothing new, {name}", runs, 0.4, yardsticks))
        rows.append(Row(f"`run` with nothing new, {name}", peaks(runs), 150, unit="MB"))
    return rows


def reference(shop: Workshop) -> list[Row]:
    """Set A from its file to the alerts."""
    data = Path(os.environ.get("REFERENCE_DATA", ROOT.parent / "shared" / "data"))
    source = (data / "set_a" / "ErrorStreamSetA.csv").resolve()
    if not source.exists():
        say("reference: skipped, REFERENCE_DATA does not name the folder that holds set_a")
        return []
    # Its last line has no end, and a copy may be younger than the ten minutes after which that line counts by default.
    config = shop.config("set-a", source, 'date = "2026-01-05"\nlast_line_seconds = 0')
    runs, yardsticks = alternate(shop.pairs, lambda: shop.judge_anew(config), yardstick)
    if not (alerts := shop.alerts(config)):
        raise RuntimeError("Set A gave no alerts: that is not the same work")
    note = f"{alerts}; the other side's seconds are quoted, at this machine's speed, not measured"
    quoted = tuple(SET_A_SECONDS * one / YARDSTICK_SECONDS for one in seconds(yardsticks))
    return [Row("Set A, ingest + detect / the reference program", seconds(runs), 1 / 30, quoted, note=note)]


def memory(shop: Workshop) -> list[Row]:
    """The peak of both jobs, also where a bad line at the end makes ingest read the whole file with care."""
    _, ingested, judged = shop.judged_day
    path = shop.folder / "careful.csv"
    with path.open("wb") as target, shop.day.open("rb") as records:
        shutil.copyfileobj(records, target, 1 << 20)
        target.write(b"not a record\n")
    say("ingesting ten million records and a bad one")
    careful = shop.ingest(shop.config("careful", path))
    path.unlink()
    runs = {"ingest 10 M records": ingested, "detect 10 M records": judged, "ingest 10 M and a bad line": careful}
    return [Row(name, peaks([ran]), 1000, unit="MB", note=f"{ran.seconds:.1f} s") for name, ran in runs.items()]


def pictures(shop: Workshop) -> list[Row]:
    """Heatmaps of 24 h and 44 codes."""
    config, _, _ = shop.judged_day
    target = shop.folder / "heatmap.png"
    command = ("streammetrics", "heatmap", "--rule", "ratio", "--to", target, "--config", config)
    drawn, whole, yardsticks = alternate(
        shop.pairs, lambda: python("bench.inside", "draw", config, target), lambda: python(*command), yardstick
    )
    return [
        Row("drawing a heatmap of 24 h x 44 codes, 3 s", _printed(drawn), 3 / YARDSTICK_SECONDS, seconds(yardsticks)),
        _limited("`heatmap --rule ratio` of 24 h x 44 codes", whole, 3, yardsticks),
    ]


def report(shop: Workshop) -> list[Row]:
    """The report page of 24 h and 40 codes."""
    path = shop.folder / "increases.csv"
    options = ("--records", 1_000_000, "--hours", 24, "--codes", 40, "--seed", 7, "--start", EPOCH.isoformat())
    python("streammetrics", "generate", *options, "--to", path)
    config = shop.config("report", path, rules="")
    say("judging a day of 40 codes")
    shop.judge_anew(config)
    command = ("streammetrics", "report", "--to", shop.folder / "report", "--config", config)
    runs, yardsticks = alternate(shop.pairs, lambda: python(*command), yardstick)
    return [
        _limited("`report` of 24 h x 40 codes", runs, 2, yardsticks),
        Row("memory: `report` of 24 h x 40 codes", peaks(runs), 1000, unit="MB"),
    ]


def database(shop: Workshop) -> list[Row]:
    """A million rows of SQLite."""
    path = shop.folder / "rows.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table errors (id integer primary key, ts, build, code)")
        rows = ((str(EPOCH + timedelta(milliseconds=80 * n)), f"5.{9 + n % 2}", n % 44) for n in range(1_000_000))
        connection.executemany("insert into errors (ts, build, code) values (?, ?, ?)", rows)
        connection.commit()
    config = shop.folder / "database.toml"
    config.write_text(
        f'[store]\npath = "database.duckdb"\n[[source]]\nname = "rows"\nurl = "sqlite:///{path}"\ntable = "errors"\n'
        'cursor = "id"\n',
        encoding="utf-8",
    )
    runs, again, yardsticks = alternate(
        shop.pairs, lambda: shop.ingest_anew(config), lambda: shop.ingest(config), yardstick
    )
    path.unlink()
    return [
        _limited("`ingest` of a million rows of SQLite", runs, 10, yardsticks),
        Row("memory: a million rows of SQLite", peaks(runs), 1000, unit="MB"),
        _limited("`ingest` of a database with nothing new", again, 1, yardsticks),
    ]


def generate(shop: Workshop) -> list[Row]:
    """A million records with their truth."""
    options = ("--records", 1_000_000, "--hours", 24, "--codes", 44, "--to", shop.folder / "generated.csv")
    runs, yardsticks = alternate(shop.pairs, lambda: python("streammetrics", "generate", *options), yardstick)
    return [_limited("`generate` a million records", runs, 10, yardsticks)]


GROUPS = {
    group.__name__: group
    for group in (
        ingest,
        damaged,
        spool,
        growing,
        peers,
        history,
        idle,
        codes,
        late,
        reference,
        memory,
        pictures,
        published,
        report,
        database,
        generate,
    )
}


def _limited(what: str, runs: list[Ran], limit_seconds: float, yardsticks: list[Ran]) -> Row:
    """A limit in seconds, at the speed that the machine has meanwhile."""
    return Row(f"{what}, {limit_seconds:g} s", seconds(runs), limit_seconds / YARDSTICK_SECONDS, seconds(yardsticks))


def _printed(runs: list[Ran]) -> tuple[float, ...]:
    """Seconds that the process measured inside itself and printed."""
    return tuple(float(ran.printed) for ran in runs)
