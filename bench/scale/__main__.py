"""`python -m bench.scale`: reads and judges days of records on DuckDB and on a Spark cluster, writes docs/scaling.md.

`python -m bench.scale 100000` takes so many records instead of 10^7, and leaves the page alone: to try the program.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.measure import python, say
from bench.scale import inputs, page
from bench.scale.page import Line, Step
from bench.workshop import ROOT
from tests.spark_cluster import Cluster

_CONFIG = """
[store]
path = "{folder}/history.duckdb"
[output]
dir = "{folder}/out"
report = false
[[source]]
name = "bench"
path = "{source}/*"
"""

_ENGINE = """
[engine]
kind = "spark"
url = "{url}"
warehouse = "{folder}/warehouse"
"""


@dataclass(frozen=True)
class Site:
    """A store of its own; `cluster` is None where DuckDB computes."""

    folder: Path
    source: Path
    cluster: Cluster | None

    def measured(self, name: str, records: int, codes: int, history_days: int = 0) -> Line:
        """Ingest what is new in the source, and judge it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config, engine = self.folder / "config.toml", "Spark" if self.cluster else "DuckDB"
        text = _CONFIG.format(folder=self.folder, source=self.source)
        if self.cluster is not None:
            text += _ENGINE.format(folder=self.folder, url=self.cluster.url)
        config.write_text(text)
        say(f"{name}, {records:,} records: {engine}")
        ingest, detect = self._ran("ingest", config), self._ran("detect", config)
        cluster_mb = self.cluster.peak_mb() if self.cluster else None
        store = self.folder / "history.duckdb"
        counters, store_mb = inputs.counters(store), store.stat().st_size / 1e6
        return Line(name, engine, records, codes, counters, history_days, ingest, detect, cluster_mb, store_mb)

    def _ran(self, command: str, config: Path) -> Step:
        before = self.cluster.shuffled_bytes() if self.cluster else 0
        ran = python("streammetrics", command, "--config", config)
        say(f"{command}: {ran.seconds:,.1f} s")
        after = self.cluster.shuffled_bytes() if self.cluster else 0
        return Step(ran.seconds, ran.rss_mb, (after - before) / 1e6 if self.cluster else None)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A new one: what it has used in memory is what the line took."""
    with tempfile.TemporaryDirectory() as folder:
        found = Cluster(Path(folder), part_bytes=128 << 20, has_ui=True)
        try:
            found.start()
            yield found
        finally:
            found.stop()


def both(folder: Path, name: str, source: Path, records: int, codes: int) -> list[Line]:
    """A line of each engine, each with a store and a cluster of its own."""
    lines = [Site(folder / "duckdb", source, None).measured(name, records, codes)]
    with cluster() as found:
        lines.append(Site(folder / "spark", source, found).measured(name, records, codes))
    for site in ("duckdb", "spark"):
        shutil.rmtree(folder / site)
    return lines


def after_history(folder: Path, records: int, days: int) -> list[Line]:
    """An hour that is new to stores which have seen days before it."""
    lines = []
    hours = days * inputs.HOURS
    for name, engine in (("duckdb", nullcontext()), ("spark", cluster())):
        source = folder / f"history-{days}"
        inputs.write_hours(source, 0, hours, records // inputs.HOURS, 40, "csv")
        Site(folder / name, source, None).measured(f"{days} days before", records * days, 40)
        inputs.write_hours(source, hours, 1, records // inputs.HOURS, 40, "csv")
        with engine as found:
            site = Site(folder / name, source, found)
            lines.append(site.measured("an hour more", records // inputs.HOURS, 40, days))
        shutil.rmtree(folder / name)
        shutil.rmtree(source)
    return lines


def main(arguments: Sequence[str]) -> None:
    base = int(arguments[0]) if arguments else 10_000_000
    folder = ROOT / "var" / "bench-scale"
    shutil.rmtree(folder, ignore_errors=True)
    lines: list[Line] = []
    for times in (1, 10):
        source = folder / f"day-{base * times}"
        inputs.write_hours(source, 0, inputs.HOURS, base * times // inputs.HOURS, 40, "csv")
        lines += both(folder / "stores", "a day", source, base * times, 40)
        shutil.rmtree(source)
    source = folder / f"codes-{base}"
    inputs.write_hours(source, 0, inputs.HOURS, base // inputs.HOURS, 400, "csv")
    lines += both(folder / "stores", "ten times the codes", source, base, 400)
    shutil.rmtree(source)
    for days in (1, 7):
        lines += after_history(folder / "stores", base // 10, days)
    source = folder / f"day-{base * 100}"
    inputs.write_hours(source, 0, inputs.HOURS, base * 100 // inputs.HOURS, 40, "parquet")
    lines.append(Site(folder / "stores" / "duckdb", source, None).measured("a day", base * 100, 40))
    shutil.rmtree(folder)
    found = page.page(lines)
    if arguments:
        print(found)
    else:
        (ROOT / "docs" / "scaling.md").write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
