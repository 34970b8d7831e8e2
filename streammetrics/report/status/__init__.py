"""`status`: what the store holds, what was judged, what is open, and what waits to be read."""

from streammetrics.report.status.facts import collect, comparisons, feeds, reaches
from streammetrics.report.status.models import Status
from streammetrics.report.status.operation import check
from streammetrics.report.status.words import as_json, render, young_lines

__all__ = ["Status", "as_json", "check", "collect", "comparisons", "feeds", "reaches", "render", "young_lines"]
