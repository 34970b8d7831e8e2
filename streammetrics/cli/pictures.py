"""The commands that draw: heatmaps and the report page."""

from pathlib import Path
from typing import Annotated

import typer

from streammetrics.cli import options

app = typer.Typer()


@app.command(epilog="Example: streammetrics heatmap --to heatmap.png --rule regression --since 2026-11-23T06:00")
def heatmap(
    to: options.PictureOption,
    config: options.ConfigOption = None,
    rule: options.RuleOption = None,
    since: options.SinceOption = None,
    until: options.UntilOption = None,
) -> None:
    """Draw codes against time, a picture for each rule and comparison. By default it covers the last day."""
    from streammetrics.report import heatmap as heatmaps

    session = options.session_of(config)
    for path in heatmaps.draw(session.store, session.config, to, rule, since, until):
        session.out(str(path))


@app.command(epilog="Example: streammetrics report --to var/report")
def report(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder. Its index.html is replaced.")],
    config: options.ConfigOption = None,
    since: options.SinceOption = None,
    until: options.UntilOption = None,
) -> None:
    """Write a page for the browser. It shows comparisons, incidents and heatmaps; by default of the last day."""
    from streammetrics.report import page

    session = options.session_of(config)
    with session.progress.task("drawing"):
        path = page.write(session.store, session.config, to, session.clock(), since, until)
    session.out(str(path))
