"""A day of releases, played minute by minute through `run`, as cron would."""

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Config, StoreSettings
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, moment_of, reporting

MINUTE = 60
CALM = {"timeout": 0.5, "parse": 0.3, "login": 0.3, "sync": 0.2, "disk": 0.2, "render": 0.1}
"""Errors per second of a build that has all users."""

Rates = Mapping[str, float]


def scaled(share: float, rates: Rates = CALM, **ratios: float) -> dict[str, float]:
    """The rates of a build with so many of the users; codes in `ratios` are more frequent by these."""
    return {code: rate * share * ratios.get(code, 1) for code, rate in rates.items()}


@dataclass
class ReleaseDay:
    """What clients send from `minute` on, and what was printed and reported, each with the minute of its run."""

    folder: Path
    config: Config
    minute: int = 0
    printed: list[tuple[int, str]] = field(default_factory=list)
    reported: list[tuple[int, str]] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(5))

    @classmethod
    def at(cls, folder: Path, **sections: Any) -> Self:
        return cls(folder, Config(store=StoreSettings(path="s.duckdb"), base=folder, **sections))

    @property
    def session(self) -> Session:
        progress = reporting(lambda line: self.reported.append((self.minute, line)))
        return Session(
            self.config,
            progress,
            lambda line: self.printed.append((self.minute, line)),
            lambda: moment_of(MONDAY + self.minute * MINUTE),
        )

    def play(
        self,
        minutes: int,
        builds: Mapping[str, Rates],
        extra: Iterable[Record] = (),
        at_once: bool = False,
        every: int = 1,
    ) -> None:
        """So many minutes in which builds send errors at these rates; `extra` records come with the first of them.

        A run follows `every` so many minutes, or with `at_once` one at the end.
        """
        waiting = list(extra)
        step = minutes if at_once else every
        for _ in range(minutes // step):
            since, until = self.minute * MINUTE, (self.minute + step) * MINUTE
            for build, rates in builds.items():
                for code, rate in rates.items():
                    waiting += (
                        Record(MONDAY + self.dice.randrange(since, until), build, code)
                        for _ in range(self._draw(rate * (until - since)))
                    )
            self.minute = until // MINUTE
            self.run(waiting)
            waiting = []

    def run(self, records: Iterable[Record] = ()) -> int:
        """One run that finds these records in a new file."""
        path = self.folder / f"{self.minute}-{self.dice.random()}.csv"
        lines = "".join(f"{moment_of(r.second)},{r.build},{r.code}\n" for r in sorted(records))
        path.write_text(f"ts,build,code\n{lines}")
        return pipeline.run(self.session, [path], is_final=False, exit_code=False)

    def changes(self, *kinds: str) -> list[tuple[str, str, str]]:
        """The changes of incidents that were printed, of these kinds or all: kind, code and candidate."""
        found = [re.match(r"(\w+) +code (\S+) .* -> (\S+)  ", line) for _, line in self.printed]
        return [
            (kind, code, build) for kind, code, build in (m.groups() for m in found if m) if not kinds or kind in kinds
        ]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.session.store.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def judged(self) -> dict[tuple[str, str], int]:
        """How far each comparison is judged, in minutes of the day."""
        rows = self.rows("select baseline, candidate, epoch(min(judged_until))::bigint from progress group by all")
        return {(baseline, candidate): (second - MONDAY) // MINUTE for baseline, candidate, second in rows}

    def _draw(self, mean: float) -> int:
        """A Poisson number, or nearly: of many the normal one."""
        if mean > 50:
            return max(0, round(self.dice.gauss(mean, mean**0.5)))
        found, left = 0, self.dice.expovariate(1)
        while left < mean:
            found, left = found + 1, left + self.dice.expovariate(1)
        return found
