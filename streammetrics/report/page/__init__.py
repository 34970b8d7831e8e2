"""The report page: one HTML file, readable without a network, with what an engineer on call needs first.

In comes a store, out goes `index.html`. Bokeh and jinja2 are imported only when a page is written.
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
    """Write the page of a time range, by default the last day; returns its path. The store is free while it is drawn.

    Args:
        drawn: the heatmaps of that time, if they were read already.

    Raises:
        StoreBusyError, InputOutputError: the store cannot be read, or the page cannot be written.
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
