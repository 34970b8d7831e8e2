"""What the store holds, what was judged, what is open and what waits to be read: in a dozen lines."""

from dataclasses import asdict

from sqlalchemy import Connection

from streammetrics.report.status.facts import Status, collect, comparisons, reaches
from streammetrics.report.status.words import reach_words, render
from streammetrics.runtime import terminal
from streammetrics.runtime.terminal import printable

__all__ = ["Status", "as_json", "collect", "comparisons", "reaches", "render", "young_lines"]


def as_json(status: Status) -> str:
    """The same as one line of JSON, times as ISO text in UTC."""
    return terminal.as_json(asdict(status))


def young_lines(connection: Connection) -> list[str]:
    """What comparisons that are judged for less than a day can find by now, a line each."""
    found = reaches(connection, comparisons(connection))
    return [printable(f"{one['baseline']} -> {one['candidate']}  {reach_words(one)}") for one in found]
