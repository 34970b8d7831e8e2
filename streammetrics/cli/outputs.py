"""The pictures and the page that `run` makes last: what fails is reported, and keeps nothing else from being made."""

import logging
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from streammetrics.cli.session import Session
from streammetrics.errors import InputOutputError, StreammetricsError
from streammetrics.report import heatmap
from streammetrics.report.heatmap import Heatmap
from streammetrics.store.connection import explained


def draw(session: Session) -> int:
    """The last day's heatmaps, and the report where it is set; the exit code of the first that fails."""
    store, config, folder = session.store, session.config, session.config.output_dir
    drawn: list[Heatmap] | None = None

    def draw_heatmaps() -> None:
        nonlocal drawn
        drawn = heatmap.last_day(store, config)
        heatmap.draw_all(drawn, folder)

    def write_report() -> None:
        from streammetrics.report import page

        page.write(store, config, folder, session.clock(), drawn=drawn)

    code = _tried(session, "the heatmaps could not be drawn", "draw.failed", draw_heatmaps)
    if config.output.report:
        unwritten = _tried(session, "the report could not be written", "report.failed", write_report)
        code = code or unwritten
    return code


def _tried(session: Session, words: str, name: str, work: Callable[[], None]) -> int:
    try:
        with session.progress.task("drawing"):
            work()
    except (StreammetricsError, OSError, DBAPIError) as error:
        failure = explained(error) or error
        session.say(f"{words}: {failure}", name, logging.ERROR)
        return getattr(failure, "exit_code", InputOutputError.exit_code)
    return 0
