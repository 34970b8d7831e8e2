"""The report page as text: the filled template, with BokehJS and the plots' JSON inside."""

from pathlib import Path

from bokeh.resources import Resources
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from streammetrics.report.heatmap import words
from streammetrics.report.page import figures
from streammetrics.report.page.data import Page
from streammetrics.runtime import utc
from streammetrics.runtime.terminal import counted, moment, named

INKS = {
    "ink": figures.INK,
    "line": figures.LINE,
    "old": figures.OLD,
    "new": figures.NEW,
}
"""The style sheet's variable for each placeholder."""


def render(page: Page) -> str:
    """The whole page; every value is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"moment": moment, "named": named, "counted": counted}
    # Bokeh reads a definition before what refers to it: sorted keys would change that order.
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.globals |= {"words": words, "at_second": utc.at_second}
    plots = {f"heatmap-{place}": figures.heatmap(panel) for place, panel in enumerate(page.panels)}
    drawn = {f"plot-{one.incident.incident_id}": figures.incident(one) for one in page.details}
    has_plots = bool(plots or drawn)
    return environment.get_template("template.html").render(
        page=page,
        data={"inks": INKS, "plots": plots, "incident": figures.incidents() if drawn else None, "incidents": drawn},
        # Bokeh's own script is trusted markup.
        bokeh=Markup(Resources(mode="inline", components=["bokeh"], log_level="warn").render_js()) if has_plots else "",  # noqa: S704
    )
