"""The plots of the report page as JSON for BokehJS. Names come from clients: they are plain text, never markup or TeX.

Colours that depend on the reader's scheme, light or dark, are placeholders (`INK` and so on) that the page replaces.
"""

from typing import Any

import numpy as np
from bokeh.embed import json_item
from bokeh.layouts import column
from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    CustomJSHover,
    DataRange1d,
    DatetimeTicker,
    DatetimeTickFormatter,
    FixedTicker,
    HoverTool,
    Image,
    LinearColorMapper,
    PanTool,
    PlainText,
    Range,
    Range1d,
    ResetTool,
    Tool,
    WheelZoomTool,
)
from bokeh.models.annotations import ColorBar, Span
from bokeh.plotting import figure
from numpy.typing import NDArray

from streammetrics.report.heatmap import words
from streammetrics.report.heatmap.grid import COLOURS, UNKNOWN_COLOUR, colour_limit, deviations, units
from streammetrics.report.page.data import Panel
from streammetrics.report.page.incidents import Details
from streammetrics.runtime import utc
from streammetrics.runtime.terminal import counted

INK, LINE, OLD, NEW = (f"#00f0a{place}" for place in range(4))
"""Placeholders for the colours of text, grid lines, the baseline and the candidate."""

_ROW_PIXELS = 18
_TIME = "%F %H:%M:%S UTC"
_TICKS = DatetimeTickFormatter(seconds="%H:%M:%S", minsec="%H:%M:%S", minutes="%H:%M", hourmin="%H:%M", hours="%H:%M",
                               days="%b %d", context=None)  # fmt: skip


def heatmap(panel: Panel) -> Any:
    """A heatmap: an image row for each code, so that each name is stored once, and outlines of alerts."""
    drawn, grid = panel.heatmap, panel.grid
    unit = units(grid, drawn.detector)
    found = deviations(grid.values, drawn.detector) / unit
    limit = colour_limit(found, drawn)
    rows, columns = found.shape
    step = grid.column_bins * drawn.bin_seconds
    first, last = drawn.first_bin, drawn.first_bin + drawn.values.shape[1] * drawn.bin_seconds
    labels = [words.name(code, 14) for code in grid.codes]
    names = [words.name(code, 80) for code in grid.codes]
    if grid.folded:
        labels.append(f"{grid.folded:,} others")
        names.append(f"{counted(grid.folded, 'other code')}: mean value, sum of errors")
    alerted = _alerted(panel)
    ranges = Range1d(start=first * 1000, end=last * 1000, bounds="auto"), Range1d(start=rows, end=0, bounds="auto")
    box, *tools = BoxZoomTool(dimensions="width"), PanTool(), WheelZoomTool(), ResetTool()
    plot = _figure(110 + _ROW_PIXELS * max(rows, 4), *ranges, box, *tools)
    plot.toolbar.active_drag = box
    mapper = LinearColorMapper(palette=_palette(), low=-limit, high=limit, nan_color=UNKNOWN_COLOUR)
    source = ColumnDataSource(
        {
            "name": names,
            "image": list(found.astype(np.float32)[:, None, :]),
            "baseline": list(_small(panel.errors[0])[:, None, :]),
            "candidate": list(_small(panel.errors[1])[:, None, :]),
            "alerted": list(alerted.astype(np.uint8)[:, None, :]),
            "top": [row + 0.04 for row in range(rows)],
        }
    )
    pixels = Image(image="image", x=first * 1000, y="top", dw=columns * step * 1000, dh=0.92, color_mapper=mapper)
    cells = plot.add_glyph(source, pixels)
    _outline(plot, alerted, first, step)
    value = "Number.isNaN(value) ? 'no records, or not judged' : "
    value += (
        "'x' + (2 ** value).toPrecision(3)"
        if drawn.detector == "mean_ratio"
        else "(value > 0 ? '+' : '') + (value * units[special_vars.index]).toPrecision(3)"
    )
    formatters: dict[str, Any] = {
        "$x": _hover(
            "const at = (first + Math.floor((special_vars.x / 1000 - first) / step) * step) * 1000;"
            "const show = (ms, from) => new Date(ms).toISOString().replace('T', ' ').slice(from, 19);"
            "return show(at, 0) + ' to ' + show(at + step * 1000, 11) + ' UTC'", first=first, step=step,
        ),
        "@image": _hover(f"return {value}", units=unit[:, 0].tolist()),
        "@alerted": _hover("return value ? 'yes' : 'no'"),
    }  # fmt: skip
    tips = [
        ("code", "@name"),
        ("time", "$x{custom}"),
        ("baseline errors", "@baseline"),
        ("candidate errors", "@candidate"),
        ("value", "@image{custom}"),
        ("alerted", "@alerted{custom}"),
    ]
    plot.add_tools(HoverTool(renderers=[cells], tooltips=tips, formatters=formatters))
    plot.yaxis.ticker = FixedTicker(ticks=[row + 0.5 for row in range(rows)])
    plot.yaxis.major_label_overrides = {row + 0.5: PlainText(text=label) for row, label in enumerate(labels)}
    plot.yaxis.axis_label = "error code"
    plot.grid.visible = False
    # Ratios are marked at powers of two.
    far = (int(limit) // 2 * 2 or 1) if drawn.detector == "mean_ratio" else limit
    levels = np.linspace(-far, far, 3 if far == 1 else 5).tolist()
    bar = ColorBar(
        color_mapper=mapper, height=10, background_fill_color=None, ticker=FixedTicker(ticks=levels),
        major_label_overrides={level: words.level(float(f"{level:.2g}"), drawn.detector) for level in levels},
        major_label_text_color=INK, orientation="horizontal", border_line_color=None, padding=4,
    )  # fmt: skip
    plot.add_layout(bar, "above")
    return json_item(plot)


def incidents() -> Any:
    """Both builds' rates, and below them evidence and required evidence; onset, first alert and end are marked.

    One figure without data: the page fills in the data of each incident, using the names of models. One figure per
    incident would take longer to make than the rest of the page.
    """
    x_range = Range1d(name="time")
    rates = _figure(220, x_range, DataRange1d(start=0))
    errors = ColumnDataSource({"x": [], "baseline": [], "candidate": []}, name="rates")
    rates.step("x", "baseline", source=errors, mode="after", line_color=OLD, line_width=1.5)
    new = rates.step("x", "candidate", source=errors, mode="after", line_color=NEW, line_width=2)
    tips = [
        ("from", f"@x{{{_TIME}}}"),
        ("baseline", "@baseline{0.0} errors/min"),
        ("candidate", "@candidate{0.0} errors/min"),
    ]
    rates.add_tools(HoverTool(renderers=[new], tooltips=tips, formatters={"@x": "datetime"}, mode="vline"))
    rates.yaxis.axis_label, rates.xaxis.axis_label = "errors per minute", None
    evidence = _figure(190, x_range, DataRange1d())
    alerts = ColumnDataSource({"x": [], "value": [], "required": []}, name="alerts")
    line = evidence.line("x", "value", source=alerts, line_color=NEW, line_width=2)
    evidence.line("x", "required", source=alerts, line_color=OLD, line_width=2)
    # A single alert makes no line.
    evidence.scatter("x", "value", source=alerts, color=NEW, size=3)
    evidence.scatter("x", "required", source=alerts, color=OLD, size=3)
    tips = [("alert", f"@x{{{_TIME}}}"), ("value", "@value{0,0.00}"), ("required", "@required{0,0.00}")]
    evidence.add_tools(HoverTool(renderers=[line], tooltips=tips, formatters={"@x": "datetime"}, mode="vline"))
    evidence.yaxis.name = "unit"
    for plot in (rates, evidence):
        for name, dash in (("onset", "solid"), ("opened", "dashed"), ("end", "dotted")):
            mark = Span(name=name, dimension="height", line_color=INK, line_dash=dash, line_width=1.5)
            plot.add_layout(mark)
    return json_item(column(rates, evidence, sizing_mode="stretch_width"))


def incident(details: Details) -> dict[str, Any]:
    """The data that the page fills in for one incident; times are in milliseconds."""
    one, series = details.incident, details.series
    # A rule with a threshold below 0 may alert before the candidate's first error, which is the incident's start.
    seconds, values, required = zip(*details.evidence, strict=True) if details.evidence else ((), (), ())
    return {
        "start": series.first_second * 1000,
        "step": series.step_seconds * 1000,
        "baseline": details.baseline_errors.tolist(),
        "candidate": details.candidate_errors.tolist(),
        "alerts": [second * 1000 for second in seconds],
        "values": [round(value, 3) for value in values],
        "required": [round(value, 3) for value in required],
        "onset": utc.second_of(one.start_ts) * 1000,
        "opened": utc.second_of(one.opened_ts) * 1000,
        "end": None if one.state == "open" else utc.second_of(one.end_ts) * 1000,
        "unit": "window mean" if one.exposure is None else "evidence, log10",
    }


def _figure(height: int, x_range: Range, y_range: Range, *tools: Tool) -> figure:
    plot = figure(
        height=height, sizing_mode="stretch_width", x_axis_type="datetime", x_range=x_range, y_range=y_range,
        tools=list(tools), toolbar_location="below" if tools else None,
        background_fill_color=None, border_fill_color=None, outline_line_color=LINE, min_border_right=16,
    )  # fmt: skip
    plot.toolbar.logo = None
    plot.xaxis.axis_label = "time (UTC)"
    plot.xaxis.formatter = _TICKS.clone()
    # More labels would touch each other on a phone.
    plot.xaxis.ticker = DatetimeTicker(desired_num_ticks=4)
    plot.axis.axis_label_text_color = plot.axis.major_label_text_color = INK
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.axis_line_color = plot.axis.major_tick_line_color = LINE
    plot.axis.minor_tick_line_color = None
    plot.grid.grid_line_color = LINE
    return plot


def _alerted(panel: Panel) -> NDArray[np.bool_]:
    """The cells of the grid that an alert overlaps; folded codes share the last row."""
    drawn, grid = panel.heatmap, panel.grid
    step, found = grid.column_bins * drawn.bin_seconds, np.zeros(grid.values.shape, bool)
    rows = {code: row for row, code in enumerate(grid.codes)}
    for window in drawn.alerted:
        first, last = ((second - drawn.first_bin) // step for second in (window.start_second, window.end_second - 1))
        found[rows.get(window.code, len(rows)), max(first, 0) : max(last + 1, 0)] = True
    return found


def _outline(plot: figure, alerted: NDArray[np.bool_], first: int, step: int) -> None:
    """Black with a white casing: visible on blue, red and white."""
    padded = np.pad(alerted, ((0, 0), (1, 1))).astype(np.int8)
    edges = np.diff(padded, axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    shape = ColumnDataSource(
        {
            "left": (first + starts * step) * 1000.0,
            "right": (first + ends * step) * 1000.0,
            "top": rows + 0.06,
            "bottom": rows + 0.94,
        }
    )
    for colour, width in (("white", 3), ("black", 1.5)):
        plot.quad("left", "right", "top", "bottom", source=shape, fill_color=None, line_color=colour, line_width=width)


def _palette() -> list[str]:
    """255 colours of the heatmap's scale, from fewest to most."""
    stops = np.array([[int(one[place : place + 2], 16) for place in (1, 3, 5)] for one in COLOURS], float)
    at = np.linspace(0, len(stops) - 1, 255)
    channels = [np.interp(at, range(len(stops)), channel).round().astype(int) for channel in stops.T]
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in zip(*channels, strict=True)]


def _small(counts: NDArray[np.int64]) -> NDArray[Any]:
    """The same counts in the smallest integer type that fits."""
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))).newbyteorder("="))


def _hover(code: str, **arguments: Any) -> CustomJSHover:
    return CustomJSHover(code=code, args=arguments)
