"""What a run writes at its end: heatmaps, the report page, figures for Prometheus, and the published file.

They come last, so they do not delay notices. If one fails, the others are still written.
"""

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.cli.session import Session
from streammetrics.errors import InputOutputError, StreammetricsError
from streammetrics.store.connection import explained

if TYPE_CHECKING:
    from streammetrics.report.heatmap import Heatmap
    from streammetrics.report.metrics import Figures


def figures(session: Session, connection: Connection) -> "Figures | None":
    """The figures for Prometheus, read while the run has the store open; None if [output] metrics is not set."""
    if session.config.metrics_path is None:
        return None
    from streammetrics.report import metrics

    with connection.begin():
        return metrics.collect(connection)


def write(session: Session, found: "Figures | None", *, is_judged: bool) -> int:
    """Write what is due; the exit code of the first failure. Heatmaps are due if bins were judged (`is_judged`)."""
    codes = [
        _expose(session, found),
        _draw(session) if is_judged else _write_page(session),
        _publish(session),
    ]
    return next((code for code in codes if code), 0)


def _expose(session: Session, found: "Figures | None") -> int:
    target = session.config.metrics_path
    if target is None or found is None:
        return 0
    from streammetrics.report import metrics

    def expose() -> None:
        metrics.write(found, target, session.clock())

    return _alone(session, "writing", expose, "the figures for Prometheus could not be written", "metrics.failed")


def _draw(session: Session) -> int:
    """The last day's heatmaps, and the report page with them."""
    from streammetrics.report import heatmap

    drawn: list[heatmap.Heatmap] | None = None

    def draw() -> None:
        nonlocal drawn
        drawn = heatmap.last_day(session.store, session.config)
        heatmap.draw_all(drawn, session.config.output_dir)

    code = _alone(session, "drawing", draw, "the heatmaps could not be drawn", "draw.failed")
    unwritten = _write_page(session, drawn)
    return code or unwritten


def _write_page(session: Session, drawn: "Sequence[Heatmap] | None" = None) -> int:
    """The report page, if set; also with nothing new, because verdicts and the age of records depend on the time."""
    folder = session.config.output_dir
    if not session.config.output.report:
        return 0
    from streammetrics.report import page

    def write_page() -> None:
        page.write(session.store, session.config, folder, session.clock(), drawn=drawn)

    return _alone(session, "drawing", write_page, "the report could not be written", "report.failed")


def _publish(session: Session) -> int:
    target = session.config.publish_path
    if target is None:
        return 0
    from streammetrics.query import publish

    if not publish.is_due(session.config, session.clock()):
        return 0

    def write() -> None:
        publish.publish(session.store, session.config, target, session.clock)

    return _alone(session, "publishing", write, "the store could not be published", "publish.failed")


def _alone(session: Session, task: str, work: Callable[[], object], failed: str, event: str) -> int:
    """Run a step and return its exit code. A failure is reported and not raised."""
    try:
        with session.progress.task(task):
            work()
    except (StreammetricsError, OSError, DBAPIError) as error:
        failure = explained(error) or error
        session.say(f"{failed}: {failure}", event, logging.ERROR)
        return getattr(failure, "exit_code", InputOutputError.exit_code)
    return 0
