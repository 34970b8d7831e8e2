"""The report page: one HTML file with all that a person who was called asks first, readable without a network.

A store goes in, `index.html` comes out; Bokeh and jinja2 are imported only when a page is written.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from streammetrics.config import Config
from streammetrics.errors import InputOutputError
from streammetrics.report.heatmap import Heatmap
from streammetrics.runtime import atomic_files, utc
from streammetrics.store.connection import Store

_NAME = "index.html"


def write(
    store: Store,
    config: Config,
    folder: Path,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
    drawn: Sequence[Heatmap] | None = None,
) -> Path:
    """Write the page of a time range, by default of the last day; its path. The store is free while it is drawn.

    Args:
        drawn: the heatmaps of that time, where they were read before.

    Raises:
        StoreBusyError, InputOutputError: the store cannot be read, or the page not be written.
    """
    from streammetrics.report.page import data, render

    after, end = (None if moment is None else utc.second_of(moment) for moment in (since, until))
    text = render.render(data.collect(store, config, now, after, end, drawn))
    path = folder / _NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_files.replacing(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputOutputError(f"{path}: the report cannot be written: {atomic_files.reason(error)}") from None
    return path
