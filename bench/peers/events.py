"""An event file as peers are given it, and what is known beside it; for the Python of every peer, so without ours."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

BUILDS = ("1.0", "1.1")
"""Baseline and candidate of every file."""

SEEN = "seen"
"""When a record came in; where a file has no such column, at once."""


@dataclass(frozen=True)
class Events:
    """Records in the order in which they come in, and what an operator knows of them.

    Args:
        frame: second and seen (since the start), is_candidate, code.
        start: of the stream, UTC.
        seconds: how long it is.
        share: the candidate's share of the users.
    """

    path: Path
    frame: pl.DataFrame
    start: datetime
    seconds: int
    share: float

    @cached_property
    def codes(self) -> list[str]:
        return sorted(self.frame["code"].unique())

    def counts(self, width: int) -> Any:
        """What came in: an array (code, build, bin of so many seconds); builds are baseline and candidate."""
        found = np.zeros((len(self.codes), 2, -(-self.seconds // width)), dtype=np.int64)
        keys = [pl.col("code"), pl.col("is_candidate").cast(pl.Int64), pl.col("seen") // width]
        for code, build, place, number in self.frame.group_by(keys).len().iter_rows():
            found[self.codes.index(code), build, place] = number
        return found


def read_frame(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, try_parse_dates=True, schema_overrides={"build": pl.String, "code": pl.String})


def read(path: Path) -> Events:
    """Read a file and what of its truth is no secret: its span and the users."""
    known = json.loads(path.with_suffix(".truth.json").read_text("utf-8"))["scenario"]
    start, frame = datetime.fromisoformat(known["start"]), read_frame(path)
    columns = {"second": pl.col("ts"), SEEN: pl.col(SEEN if SEEN in frame.columns else "ts")}
    frame = frame.select(
        *((column - start).dt.total_seconds().alias(name) for name, column in columns.items()),
        (pl.col("build") == BUILDS[1]).alias("is_candidate"),
        "code",
    )
    return Events(path, frame, start, known["seconds"], known["candidate_share"])
