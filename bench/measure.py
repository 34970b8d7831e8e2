"""A side of a comparison as a process of its own, what it took, and the row of the table that it becomes.

This process stays small and imports nothing heavy: what it holds when it starts a child counts as that child's peak.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

YARDSTICK_SECONDS = 0.36
"""`yardstick` where limits in seconds were set; it is run in turn with what they limit."""


@dataclass(frozen=True)
class Ran:
    """One process: wall time (s), peak of resident memory (MB, 10^6 bytes), and what it printed."""

    seconds: float
    rss_mb: float
    printed: str


@dataclass(frozen=True)
class Row:
    """A figure and its limit: `ours` against `other`, pair by pair, or `ours` alone in `unit`.

    Of seconds the median is judged, of memory the largest.
    """

    what: str
    ours: tuple[float, ...]
    limit: float
    other: tuple[float, ...] = ()
    unit: str = "s"
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        return [ours / other for ours, other in zip(self.ours, self.other, strict=True)]

    @property
    def is_over(self) -> bool:
        judged = max(self.ours) if self.unit == "MB" else median(self.ratios if self.other else self.ours)
        return judged > self.limit

    def cells(self) -> tuple[str, ...]:
        """What, ours, other, ratio, limit, verdict."""
        other = self._range(self.other) if self.other else ""
        ratio = f"{median(self.ratios):.3g} ({min(self.ratios):.3g}-{max(self.ratios):.3g})" if self.other else ""
        limit = f"{self.limit:.3g}" if self.other else f"{self.limit:g} {self.unit}"
        return self.what, self._range(self.ours), other, ratio, limit, "over" if self.is_over else "ok"

    def _range(self, values: tuple[float, ...]) -> str:
        middle, low, high = (f"{value:.3g}" for value in (median(values), min(values), max(values)))
        return f"{middle} {self.unit}" if low == high else f"{middle} ({low}-{high}) {self.unit}"


def python(module: str, *arguments: object, interpreter: Path | str = sys.executable) -> Ran:
    """Run `python -m module arguments` to its end.

    Raises:
        RuntimeError: it failed; with what it printed.
    """
    command = [str(interpreter), "-m", module, *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMMETRICS_")}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit code {child.returncode}\n{err.read().decode()}")
        rss_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Ran(seconds, rss_bytes / 1e6, out.read().decode())


def alternate(pairs: int, *sides: Callable[[], Ran]) -> tuple[list[Ran], ...]:
    """A B A B ..., so that a noisy machine is noisy for all; a list of `pairs` runs for each side."""
    rounds = [[side() for side in sides] for _ in range(pairs)]
    return tuple(list(runs) for runs in zip(*rounds, strict=True))


def yardstick() -> Ran:
    """What tells the speed that the machine has meanwhile."""
    return python("bench.yardstick")


def seconds(runs: Sequence[Ran]) -> tuple[float, ...]:
    """Their wall times (s)."""
    return tuple(ran.seconds for ran in runs)


def peaks(runs: Sequence[Ran]) -> tuple[float, ...]:
    """Their peaks (MB)."""
    return tuple(ran.rss_mb for ran in runs)


def say(text: str) -> None:
    """Words, on stderr: stdout is the table."""
    print(text, file=sys.stderr, flush=True)


def table(rows: list[Row]) -> str:
    """The rows in columns, notes below them."""
    cells = [("what", "ours", "other", "ratio", "limit", ""), *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    notes = [f"{row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", *notes] if notes else lines)
