"""GrowthBook's sequential statistics (`gbstats`): a metric for each code, analyzed every minute.

A unit is a minute of a user, of which so many had an error: records do not name their users. The test has two sides;
an incident is open while the candidate is significantly worse. Users are given.
"""

import tomllib
from pathlib import Path

import numpy as np

from bench.peers.events import Events
from bench.peers.judge import MINUTE, Incident, merged
from bench.peers.programs import users

SETTINGS = Path(__file__).with_name("settings.toml")


def prepare() -> None:
    """Nothing to start."""


def alerts(events: Events) -> list[Incident]:
    from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
    from gbstats.models.statistics import ProportionStatistic

    config = SequentialConfig(**tomllib.loads(SETTINGS.read_text("utf-8")))
    totals = np.cumsum(events.counts(MINUTE), axis=2)
    worse: dict[str, list[int]] = {code: [] for code in events.codes}
    for place, code in enumerate(events.codes):
        for minute in range(1, events.seconds // MINUTE + 1):
            old, new = (
                ProportionStatistic(n=minute * number, sum=int(totals[place, side, minute - 1]))
                for side, number in enumerate(users(events))
            )
            result = SequentialTwoSidedTTest(old, new, config).compute_result()
            if result.ci[0] > 0:
                worse[code].append(minute * MINUTE)
    return merged(worse, MINUTE, events.seconds)
