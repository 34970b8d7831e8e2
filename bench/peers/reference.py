"""The reference program's alerts on Set A, put together to incidents as ours are."""

from collections import defaultdict
from pathlib import Path

import polars as pl

from bench.peers.frames import MERGE_SECONDS, RULES
from bench.peers.judge import merged

HOUR_SECONDS = 3600
INCREASED = {"2", "3", "4"}
"""Codes that are 1.7 to 4.4 times as frequent in the candidate, from the first second on; the others are level."""


def rows(folder: Path) -> list[tuple[str, int, int, int, int]]:
    """Of each rule: alerts, incidents of increased codes, and of the others, and how many of these there are."""
    found = []
    for rule, width, *_ in RULES:
        alerts = pl.read_csv(folder / f"{rule}_alerts.csv", schema_overrides={"code": pl.String})
        moments: dict[str, list[int]] = defaultdict(list)
        for code, stop in alerts.select("code", "stop").iter_rows():
            hours, minutes, seconds = map(int, stop.split(":"))
            moments[code].append(3600 * hours + 60 * minutes + seconds + width)
        incidents = merged(moments, MERGE_SECONDS, HOUR_SECONDS)
        right = sum(one.code in INCREASED for one in incidents)
        found.append((rule, len(alerts), right, len(incidents) - right, len(moments.keys() - INCREASED)))
    return found
