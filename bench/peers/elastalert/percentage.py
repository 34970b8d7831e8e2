"""ElastAlert's `percentage_match`: the candidate's part of the records of each code."""

from datetime import datetime

import polars as pl

from bench.peers.elastalert import Rule, found
from bench.peers.events import Events
from bench.peers.judge import Incident


def prepare() -> None:
    """Nothing to start."""


def alerts(events: Events) -> list[Incident]:
    def feed(rule: Rule, now: datetime, second: int) -> None:
        """As the answer of Elasticsearch to the rule's aggregation."""
        since = second - int(rule["buffer_time"].total_seconds())
        came = events.frame.filter(
            pl.col("second").is_between(since, second, closed="left") & (pl.col("seen") < second)
        )
        counted = came.group_by("code").agg(pl.len(), pl.col("is_candidate").sum())
        buckets = [
            {
                "key": code,
                "percentage_match_aggs": {
                    "buckets": {"match_bucket": {"doc_count": new}, "_other_": {"doc_count": number - new}}
                },
            }
            for code, number, new in counted.iter_rows()
        ]
        rule["type"].add_aggregation_data({now: {"bucket_aggs": {"buckets": buckets}}})

    return found(events, "percentage", feed)
