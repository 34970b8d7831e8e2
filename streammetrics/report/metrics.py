"""Figures for Prometheus: a file for the textfile collector of its node exporter.

Totals come from `codes` and `batches`, which keep them when retention removes records and counters, so that counters do
not go down. They go down when batches are unloaded; Prometheus reads that as a restart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from streammetrics.query.export import replacing
from streammetrics.store.statements import run, statement
from streammetrics.store.views import compose

MOST_SERIES = 200
"""Most series of a metric with labels: clients may send any number of builds and codes."""


@dataclass(frozen=True)
class Figures:
    """The figures. `known_…`: the total number of series, of which the largest are listed.

    Args:
        errors: build, code and how many errors.
        open_incidents: rule, baseline, candidate and how many incidents are open.
        last_record_at: naive UTC; None if there is no record.
    """

    errors: tuple[tuple[str, str, int], ...] = ()
    known_errors: int = 0
    open_incidents: tuple[tuple[str, str, str, int], ...] = ()
    known_open_incidents: int = 0
    last_record_at: datetime | None = None
    rejects: int = 0
    notices_waiting: int = 0


def collect(connection: Connection) -> Figures:
    """The figures of a store, in the caller's transaction."""
    most = {"most": MOST_SERIES}
    errors = run(connection, "reports/metric_errors", most).all()
    incidents = compose(statement("reports/metric_incidents"), alerts=statement("reports/latest_alerts"))
    found = connection.exec_driver_sql(incidents, most).all()
    totals = run(connection, "reports/metric_totals").one()
    return Figures(
        tuple((build, code, count) for build, code, count, _ in errors),
        errors[0].known if errors else 0,
        tuple((rule, baseline, candidate, count) for rule, baseline, candidate, count, _ in found),
        found[0].known if found else 0,
        *totals,
    )


def render(figures: Figures, now: datetime) -> bytes:
    """The text of the file, written by a run at `now` (naive UTC)."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    class Collected(Collector):
        def collect(self) -> Iterator[Any]:
            return _families(figures, now)

    registry = CollectorRegistry()
    registry.register(Collected())
    return generate_latest(registry)


def write(figures: Figures, target: Path, now: datetime) -> None:
    """Write the file, atomically.

    Raises:
        InputOutputError: it cannot be written.
    """
    with replacing(target) as unfinished:
        unfinished.write_bytes(render(figures, now))


def _families(figures: Figures, now: datetime) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    errors = CounterMetricFamily(
        "streammetrics_errors", "Errors, of the most frequent pairs of build and code.", labels=("build", "code")
    )
    for build, code, count in figures.errors:
        errors.add_metric((build, code), count)
    yield errors
    incidents = GaugeMetricFamily(
        "streammetrics_open_incidents", "Open incidents.", labels=("rule", "baseline", "candidate")
    )
    for *labels, count in figures.open_incidents:
        incidents.add_metric(labels, count)
    yield incidents
    left_out = GaugeMetricFamily(
        "streammetrics_series_left_out", "Series beyond the largest ones, which are left out.", labels=("metric",)
    )
    left_out.add_metric(("streammetrics_errors_total",), figures.known_errors - len(figures.errors))
    left_out.add_metric(("streammetrics_open_incidents",), figures.known_open_incidents - len(figures.open_incidents))
    yield left_out
    yield GaugeMetricFamily("streammetrics_last_run_timestamp_seconds", "Time of the last run.", _epoch(now))
    if figures.last_record_at is not None:
        newest = _epoch(figures.last_record_at)
        yield GaugeMetricFamily("streammetrics_last_record_timestamp_seconds", "Time of the newest record.", newest)
    yield CounterMetricFamily("streammetrics_rejects", "Records that could not be read.", figures.rejects)
    yield GaugeMetricFamily(
        "streammetrics_notices_waiting", "Changes that their channel has not taken yet.", figures.notices_waiting
    )


def _epoch(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
