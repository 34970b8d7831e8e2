"""docs/scaling.md: the measured table between the words of page.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

PAGE = Path(__file__).with_name("page.md")
HEADER = (
    "", "engine", "records", "codes", "counters", "ingest s", "detect s", "this process, MB", "cluster, MB",
    "shuffled by ingest, MB", "by detect, MB", "store, MB",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A command: wall time, peak of resident memory of its process, and what the cluster shuffled (MB, 10^6 bytes)."""

    seconds: float
    rss_mb: float
    shuffled_mb: float | None = None


@dataclass(frozen=True)
class Line:
    """A row of the table. `counters`: of the store, days before included. `cluster_mb`: peaks of all its processes."""

    name: str
    engine: str
    records: int
    codes: int
    counters: int
    history_days: int
    ingest: Step
    detect: Step
    cluster_mb: float | None
    store_mb: float

    def cells(self) -> tuple[str, ...]:
        days = self.history_days
        name = f"{self.name}, {days} day{'s' * (days > 1)} before" if days else self.name
        return (
            name, self.engine, f"{self.records:,}", f"{self.codes}", f"{self.counters:,}",
            f"{self.ingest.seconds:,.1f}", f"{self.detect.seconds:,.1f}",
            f"{max(self.ingest.rss_mb, self.detect.rss_mb):,.0f}", _mb(self.cluster_mb),
            _mb(self.ingest.shuffled_mb), _mb(self.detect.shuffled_mb), f"{self.store_mb:,.0f}",
        )  # fmt: skip


def page(lines: Sequence[Line]) -> str:
    rows = [HEADER, ("---",) * len(HEADER), *(line.cells() for line in lines)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return Template(PAGE.read_text(encoding="utf-8")).substitute(table=table)


def _mb(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
