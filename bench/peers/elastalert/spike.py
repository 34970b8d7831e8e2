"""ElastAlert's `spike`: the candidate's records of each code against the half hour before."""

from datetime import UTC, datetime, timedelta

import polars as pl

from bench.peers.elastalert import Rule, found
from bench.peers.events import Events
from bench.peers.judge import MINUTE, Incident


def prepare() -> None:
    """Nothing to start."""


def alerts(events: Events) -> list[Incident]:
    start, candidate = events.start.replace(tzinfo=UTC), events.frame.filter("is_candidate")

    def feed(rule: Rule, now: datetime, second: int) -> None:
        since = second - int(rule["buffer_time"].total_seconds())
        is_hit = pl.col("seen").is_between(second - MINUTE, second, closed="left") & (pl.col("second") >= since)
        hits = candidate.filter(is_hit).select("second", "code").iter_rows()
        rule["type"].add_data([{"@timestamp": start + timedelta(seconds=at), "code": code} for at, code in hits])

    return found(events, "spike", feed)
