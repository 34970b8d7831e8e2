"""What a run leaves behind for people and programs: heatmaps, figures for Prometheus, and the published file.

They come last, and each fails alone: none delays what people have to read, or another one.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.cli.session import Session
from streammetrics.errors import InputOutputError, StreammetricsError
from streammetrics.store.connection import explained

if TYPE_CHECKING:
    from streammetrics.report.metrics import Figures


def figures(session: Session, connection: Connection) -> "Figures | None":
    """What is exposed to Prometheus, read while the run has the store open; None where nothing is."""
    if session.config.metrics_path is None:
        return None
    from streammetrics.report import metrics

    with connection.begin():
        return metrics.collect(connection)


def write(session: Session, found: "Figures | None", *, is_changed: bool) -> int:
    """Write what is due, heatmaps if `is_changed`: bins were judged; the exit code of the first that fails."""
    codes = [_expose(session, found), _draw(session) if is_changed else 0, _publish(session)]
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
    """The last day's heatmaps, and the report page where it is set."""
    from streammetrics.report import heatmap

    store, config, folder = session.store, session.config, session.config.output_dir
    drawn: list[heatmap.Heatmap] | None = None

    def draw() -> None:
        nonlocal drawn
        drawn = heatmap.last_day(store, config)
        heatmap.draw_all(drawn, folder)

    def write_page() -> None:
        from streammetrics.report import page

        page.write(store, config, folder, session.clock(), drawn=drawn)

    code = _alone(session, "drawing", draw, "the heatmaps could not be drawn", "draw.failed")
    if not config.output.report:
        return code
    unwritten = _alone(session, "drawing", write_page, "the report could not be written", "report.failed")
    return code or unwritten


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
    """Do it; the exit code. A failure is reported, and stays here."""
    try:
        with session.progress.task(task):
            work()
    except (StreammetricsError, OSError, DBAPIError) as error:
        failure = explained(error) or error
        session.say(f"{failed}: {failure}", event, logging.ERROR)
        return getattr(failure, "exit_code", InputOutputError.exit_code)
    return 0
