"""docs/peers.md: the measured tables between the words of page.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from statistics import median
from string import Template

from bench.peers.judge import Score
from bench.peers.scenarios import CASES

PAGE = Path(__file__).with_name("page.md")


@dataclass(frozen=True)
class Cost:
    """Wall time, and peak of resident memory (MB, 10^6 bytes) of the largest process."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Line:
    """A peer: its scores by scenario, what each of its programs cost, and whether it resolves at all."""

    says: str
    scores: Mapping[str, Score]
    costs: Sequence[Cost]
    is_resolving: bool = True

    def cells(self) -> tuple[str, ...]:
        total = reduce(add, self.scores.values())
        return (
            self.says,
            *(cell(self.scores[name]) for name in CASES),
            f"{total.false}",
            f"{total.wrong_resolves}" if self.is_resolving else "never resolves",
            f"{total.duplicates}",
            "; ".join(f"{cost.seconds:.1f}" for cost in self.costs),
            "; ".join(f"{cost.peak_mb:.0f}" for cost in self.costs),
        )


def cell(score: Score) -> str:
    """How many causes were found, and how soon; false incidents."""
    found = [delay for delay in score.delays if delay is not None]
    parts = [f"{len(found)} of {len(score.delays)}"] if score.delays else []
    parts += [f"{median(found):.0f} s"] if found else []
    return ", ".join([*parts, f"{score.false} false"])


def page(lines: Sequence[Line], reference: Sequence[Sequence[object]]) -> str:
    """The whole page; without the reference data its table has no rows."""
    header = (
        "peer", *(case.says for case in CASES.values()), "false, all", "wrong resolves", "duplicates", "s", "MB",
    )  # fmt: skip
    of_reference = ("rule", "alerts", "incidents of the three", "of level codes", "level codes that have any")
    return Template(PAGE.read_text("utf-8")).substitute(
        peers=markdown(header, [line.cells() for line in lines]), reference=markdown(of_reference, reference)
    )


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in (header, ["---"] * len(header), *rows))
