"""What a run leaves behind for people and programs: heatmaps, figures for Prometheus, and the published file.

They come last, and each fails alone: none delays what people have to read, or another one.
"""

import logging
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from streammetrics.cli.session import Session
from streammetrics.errors import InputOutputError, StreammetricsError
from streammetrics.store.connection import explained


def write(session: Session, *, is_changed: bool) -> int:
    """Write what is due, heatmaps if `is_changed`: bins were judged; the exit code of the first that fails."""
    codes = [_draw(session)] if is_changed else []
    codes.append(_publish(session))
    return next((code for code in codes if code), 0)


def _draw(session: Session) -> int:
    from streammetrics.report import heatmap

    def draw() -> None:
        heatmap.draw_all(session.store, session.config, session.config.output_dir)

    return _alone(session, "drawing", draw, "the heatmaps could not be drawn", "draw.failed")


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
