"""Programs of the system that peers need, and what peers of Prometheus' kind share."""

import shutil

import numpy as np

from bench.peers.events import BUILDS, Events
from bench.peers.judge import MINUTE

USERS = 10_000


def program(name: str, package: str) -> str:
    """Its path.

    Raises:
        SystemExit: it is not installed; says how to.
    """
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed (Debian: apt-get install {package})")
    return found


def users(events: Events) -> tuple[int, int]:
    """How many there are of the baseline and of the candidate."""
    candidate = round(USERS * events.share)
    return USERS - candidate, candidate


def series(events: Events) -> dict[str, list[int]]:
    """What an application would export, a sample a minute from 0 on: counters of errors, and its users.

    Every counter begins with 0, which https://prometheus.io/docs/practices/instrumentation/ asks for.
    """
    totals = np.cumsum(events.counts(MINUTE), axis=2)
    found = {
        f'app_errors_total{{build="{build}",code="{code}"}}': [0, *totals[place, side].tolist()]
        for place, code in enumerate(events.codes)
        for side, build in enumerate(BUILDS)
    }
    samples = events.seconds // MINUTE + 1
    return found | {
        f'app_users{{build="{build}"}}': [number] * samples for build, number in zip(BUILDS, users(events), strict=True)
    }
