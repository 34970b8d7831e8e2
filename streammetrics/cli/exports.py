"""`export`: a relation as a file, or in another database."""

from datetime import datetime
from pathlib import Path

from streammetrics.cli.session import Session
from streammetrics.runtime.terminal import counted

Bounds = tuple[datetime | None, datetime | None]
"""Since and until, UTC; None: unlimited."""


def to_file(session: Session, relation: str, target: Path, bounds: Bounds) -> None:
    """Write a relation to a file, and report how many rows."""
    from streammetrics.query import export

    with session.progress.task("exporting"):
        rows = export.export(session.store, relation, target, *bounds)
    session.say(f"{target}: {counted(rows, 'row')} of {relation}", "export.written", path=str(target), rows=rows)


def to_database(
    session: Session, relation: str, url: str, bounds: Bounds, password_env: str | None, password_file: Path | None
) -> None:
    """Update a table of another database; report the number of rows, and of those that were new or changed."""
    from streammetrics.query import databases, time_range

    target = databases.url_of(url, password_env, password_file)
    with session.progress.task("exporting"):
        done = databases.export(session.store, relation, target, time_range.span(*bounds))
    words = f"{done.place}: {counted(done.rows, 'row')} of {relation}, {done.changed:,} new or changed"
    session.say(words, "export.written", path=done.place, rows=done.rows, changed=done.changed)
