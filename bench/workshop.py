"""The scratch folder with the inputs and stores. The day's file is kept from run to run; stores are made again."""

import json
import shutil
from functools import cached_property
from itertools import islice
from pathlib import Path

from bench.measure import Ran, python, say
from streammetrics.config import REFERENCE_TOML

ROOT = Path(__file__).resolve().parent.parent
MEMORY_LIMIT = "700MB"
"""Of DuckDB, the same for both sides."""

_CONFIG = """
[store]
path = "{name}.duckdb"
memory_limit = "{memory_limit}"
[output]
dir = "out"
{rules}[[source]]
name = "bench"
path = "{source}"
"""
"""The two reference rules: what the peers do as well."""


class Workshop:
    """Where a run of the benchmarks works; `pairs` says how often each side is run."""

    def __init__(self, folder: Path, pairs: int) -> None:
        self.folder = folder
        self.pairs = pairs
        self._line_calls = 0
        folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def day(self) -> Path:
        """Ten million records of one day."""
        path = self.folder / "day.csv"
        if not path.exists():
            say("making ten million records")
            made = path.with_suffix(".part")
            python("bench.inputs", "day", made)
            made.rename(path)
        return path

    def day_as(self, suffix: str) -> Path:
        """The same records in another format."""
        path = self.day.with_suffix(suffix)
        if not path.exists():
            say(f"making ten million records as {suffix}")
            made = path.with_name(f"{path.name}.part")
            python("bench.inputs", "convert", made, self.day)
            made.rename(path)
        return path

    def damaged_day(self, every: int) -> Path:
        """The day with a line that is none in place of each so-many-th one, the last included."""
        path = self.folder / f"damaged-{every}.csv"
        if not path.exists():
            say(f"making ten million records, one of {every:,} of them bad")
            made = path.with_suffix(".part")
            with self.day.open("rb") as stream, made.open("wb") as target:
                for number, line in enumerate(stream):
                    target.write(b"not a record\n" if number and number % every == 0 else line)
            made.rename(path)
        return path

    @cached_property
    def spool(self) -> Path:
        """A folder of 10,000 files of 100 lines each; beside it, as .csv, the same records as one file."""
        folder, whole = self.folder / "spool", self.folder / "spool.csv"
        if not whole.exists():
            say("making 10,000 files")
            folder.mkdir(exist_ok=True)
            with self.day.open("rb") as stream, whole.with_suffix(".part").open("wb") as target:
                header = next(stream)
                target.write(header)
                for number in range(10_000):
                    part = b"".join(islice(stream, 100))
                    (folder / f"{number:05}.csv").write_bytes(header + part)
                    target.write(part)
            whole.with_suffix(".part").rename(whole)
        return folder

    @cached_property
    def grown(self) -> Path:
        """A copy of the day, to append to."""
        return Path(shutil.copyfile(self.day, self.folder / "grown.csv"))

    def thousand_lines(self) -> bytes:
        """Lines that no call gave before."""
        self._line_calls += 1
        second = f"2026-01-06 {self._line_calls // 60:02}:{self._line_calls % 60:02}"
        return b"".join(b"%s:%02d,5.0007.510.011,%d\n" % (second.encode(), n % 60, n % 44) for n in range(1000))

    @cached_property
    def judged_day(self) -> tuple[Path, Ran, Ran]:
        """A store of the day: its config file, and what ingest and detect took."""
        say("ingesting and judging the day")
        config = self.config("day", self.day)
        return config, self.ingest(config), self.detect(config)

    @cached_property
    def histories(self) -> tuple[Path, Path]:
        """The config files of stores with 365 days and with one, which read minutes from a folder of their own."""
        return self._history(365), self._history(1)

    def feed(self, config: Path, minute: int) -> Ran:
        """Ingest the next minute of a history."""
        python("bench.inputs", "minute", self.folder / config.stem / f"{minute:05}.csv", minute)
        return self.ingest(config)

    def config(self, name: str, source: Path | str, more: str = "", rules: str = REFERENCE_TOML) -> Path:
        """A config file for the store `name`, which is removed where it exists. No `rules`: the default one."""
        self.forget(name)
        path = self.folder / f"{name}.toml"
        path.write_text(
            _CONFIG.format(name=name, memory_limit=MEMORY_LIMIT, source=source, rules=rules) + more,
            encoding="utf-8",
        )
        return path

    def forget(self, name: str) -> None:
        for path in self.folder.glob(f"{name}.duckdb*"):
            path.unlink()

    def ingest(self, config: Path) -> Ran:
        return python("streammetrics", "ingest", "--config", config)

    def ingest_anew(self, config: Path) -> Ran:
        self.forget(config.stem)
        return self.ingest(config)

    def detect(self, config: Path) -> Ran:
        return python("streammetrics", "detect", "--config", config)

    def judge_anew(self, config: Path) -> Ran:
        """Ingest and detect in one process, on a store that is made again."""
        self.forget(config.stem)
        return python("bench.inside", "commands", config, "ingest", "detect")

    def run(self, config: Path, *options: str) -> Ran:
        return python("streammetrics", "run", "--config", config, *options)

    def alerts(self, config: Path) -> dict[str, int]:
        """How many alerts each detector has stored."""
        sql = "select detector, count(*) as alerts from alerts group by detector"
        printed = python("streammetrics", "query", sql, "--format", "jsonl", "--config", config).printed
        return {row["detector"]: row["alerts"] for row in map(json.loads, printed.splitlines())}

    def _history(self, days: int) -> Path:
        say(f"making a history of {days} days")
        name = f"history-{days}"
        config = self.config(name, f"{name}/*.csv")
        python("bench.inputs", "history", self.folder / f"{name}.duckdb", days)
        (self.folder / name).mkdir(exist_ok=True)
        for old in (self.folder / name).iterdir():
            old.unlink()
        return config
