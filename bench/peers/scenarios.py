"""Six scenarios: an event file each and seed, the truth of `streammetrics generate` beside it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bench.peers.events import BUILDS, SEEN, read_frame
from streammetrics.simulate.generate import Change, Scenario, generate, write

START = datetime(2026, 1, 5, 6)
BASELINE, CANDIDATE = BUILDS
HOUR, MINUTE = 3600, 60
CODES = {f"E{number}": round(2 * 0.01 ** (number / 11), 4) for number in range(12)}
"""Errors per second of both builds together, from 2 down to .02."""


@dataclass(frozen=True)
class Case:
    """A scenario before it is drawn.

    Args:
        says: for the table.
        share: the candidate's share of the users.
        scale: of the rates of `CODES`.
        rare: codes beside them, by rate.
        stalls: (build, since, until): what a build sends from one second to the other comes at the latter, as a batch.
    """

    says: str
    changes: tuple[Change, ...] = ()
    seconds: int = 150 * MINUTE
    share: float = 0.5
    scale: float = 1
    rare: tuple[tuple[str, float], ...] = ()
    stalls: tuple[tuple[str, int, int], ...] = ()


def _steps(ratio: float, *codes: str) -> tuple[Change, ...]:
    return tuple(Change(kind="step", code=code, at_second=HOUR, ratio=ratio) for code in codes)


CASES = {
    "sparse": Case(
        "sparse: 0 to few",
        (*_steps(40, "rare"), Change(kind="new_code", code="new", at_second=HOUR)),
        rare=(("rare", 0.0005), ("new", 0.04)),
    ),
    "step": Case("step x2", _steps(2, "E1", "E4")),
    "shares": Case("x3, 10 % of the users", _steps(3, "E1", "E4"), share=0.1),
    "late": Case(
        "x3, late batches",
        _steps(3, "E1", "E4"),
        stalls=((CANDIDATE, 80 * MINUTE, 90 * MINUTE), (BASELINE, 110 * MINUTE, 120 * MINUTE)),
    ),
    "both": Case("both builds rise x3", (Change(kind="surge", at_second=HOUR, seconds=45 * MINUTE, ratio=3),)),
    "quiet": Case("a quiet day", seconds=24 * HOUR, scale=0.3),
}

COST = Case("a day of a million records", _steps(2, "E1", "E4"), seconds=24 * HOUR, scale=1.75)
"""For what peers cost."""


def make(case: Case, seed: int, path: Path) -> None:
    """Draw the records and write them; what is true of them lies beside them."""
    rates = {**{code: rate * case.scale for code, rate in CODES.items()}, **dict(case.rare)}
    scenario = Scenario(
        seed=seed, start=START, seconds=case.seconds, baseline=BASELINE, candidate=CANDIDATE, codes=rates,
        candidate_share=case.share, changes=case.changes,
    )  # fmt: skip
    write(generate(scenario), path)
    if case.stalls:
        _delay(path, case.stalls)


def _delay(path: Path, stalls: tuple[tuple[str, int, int], ...]) -> None:
    """Add the column of when a record was seen, and write the file in this order."""
    import polars as pl

    seen = pl.col("ts")
    for build, since, until in stalls:
        first, after = (START + timedelta(seconds=second) for second in (since, until))
        is_late = (pl.col("build") == build) & (pl.col("ts") >= first) & (pl.col("ts") < after)
        seen = pl.when(is_late).then(pl.lit(after)).otherwise(seen)
    frame = read_frame(path).with_columns(seen.alias(SEEN)).sort(SEEN, maintain_order=True)
    frame.write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
