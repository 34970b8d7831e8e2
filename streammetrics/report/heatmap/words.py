"""The texts of a picture. Names come from records: they are never interpreted, and are cut in their middle."""

from collections.abc import Callable

from streammetrics.report.heatmap.data import Heatmap
from streammetrics.report.heatmap.grid import Grid
from streammetrics.runtime import utc
from streammetrics.runtime.terminal import NO_NAME, printable
from streammetrics.runtime.utc import DAY_SECONDS

_MOST_LETTERS = 24
_MOST_CODES = 8

CanShow = Callable[[str], bool]
"""Whether a printable character can be shown."""


def name(text: str, most: int = _MOST_LETTERS, can_show: CanShow = str.isprintable) -> str:
    """A name of limited length, cut in the middle, as names often differ at their ends; escapes for the unprintable.

    With many escapes it may be twice as long.
    """
    head, tail = (text[: most // 2], text[1 - most // 2 :]) if len(text) > most else (text, "")
    first, last = ([printable(letter, can_show) for letter in part] for part in (head, tail))
    if not last:
        first, last = first[: len(first) // 2 + 1], first[len(first) // 2 + 1 :]
    is_cut = len(text) > most
    while sum(map(len, first + last)) > 2 * most:
        is_cut = True
        first.pop() if len(first) > len(last) else last.pop(0)
    return "".join((*first, "…" if is_cut else "", *last)) or NO_NAME


def row(heatmap: Heatmap, code: str, can_show: CanShow = str.isprintable) -> str:
    """A code; if it was alerted, also the ratio and onset (UTC) of its last alert."""
    windows = [window for window in heatmap.alerted if window.code == code]
    shown = name(code, can_show=can_show)
    if not windows:
        return shown
    last = max(windows, key=lambda window: window.start_second)
    times = "" if last.ratio is None else f"  x{last.ratio:.3g}"
    # In a span of a day or more, the time of day alone is ambiguous.
    form = "%H:%M" if heatmap.values.shape[1] * heatmap.bin_seconds <= DAY_SECONDS else "%m-%d %H:%M"
    return f"{shown}{times}  since {utc.at_second(last.start_second):{form}}"


def headline(grid: Grid, can_show: CanShow = str.isprintable) -> str:
    """How many codes were alerted, and which ones, as far as there is room, the longest alerted first."""
    total = len(grid.codes) + grid.folded
    codes = f"{total:,} error code{'' if total == 1 else 's'}"
    if not grid.alerted:
        return f"no alerts in {codes}"
    names = [name(code, 16, can_show) for code in grid.alerted[:_MOST_CODES]]
    while sum(map(len, names)) > 16 * _MOST_CODES:
        names.pop()
    rest = len(grid.alerted) - len(names)
    more = f" and {rest} more" if rest else ""
    return f"{len(grid.alerted)} of {codes} alerted: {', '.join(names)}{more}"


def subject(heatmap: Heatmap, can_show: CanShow = str.isprintable) -> str:
    """Two lines: the comparison, and the rule."""
    if heatmap.detector == "sequential":
        alerts = "alerts where an increase is likelier than chance explains; from its estimated onset on"
    else:
        windows = " or ".join(str(bins) for bins in heatmap.window_bins)
        bins = "bin" if windows == "1" else "bins"
        alerts = f"alerts where the mean of {windows} {bins} of {heatmap.bin_seconds} s is above {heatmap.threshold:g}"
    return (
        f"candidate {name(heatmap.candidate, can_show=can_show)} "
        f"against baseline {name(heatmap.baseline, can_show=can_show)}\n"
        f"rule {name(heatmap.rule, can_show=can_show)} ({heatmap.detector}): {alerts}"
    )


def unit(heatmap: Heatmap) -> str:
    """What the colours measure, for the colour bar."""
    if heatmap.detector == "mean_ratio":
        return f"candidate / baseline, mean of the\nratios per second in {heatmap.bin_seconds} s"
    if heatmap.detector == "sequential":
        return "candidate's errors minus its share of both builds',\nin units of the code's usual variation"
    return f"candidate minus baseline,\nerrors in {heatmap.bin_seconds} s"


def level(deviation: float, detector: str) -> str:
    """The value of a deviation from equal."""
    if detector == "mean_ratio":
        return f"{2.0**deviation:g}"
    return f"{deviation:+g}" if deviation else "0"


def notes(heatmap: Heatmap, grid: Grid) -> list[str]:
    """A note on folded codes and columns, so that a mean is not read as a bin."""
    notes = []
    if grid.column_bins > 1:
        seconds = grid.column_bins * heatmap.bin_seconds
        notes.append(f"Each column is the mean of {grid.column_bins} neighbouring bins ({seconds} s).")
    if grid.folded:
        hidden = len(set(grid.alerted) - set(grid.codes))
        notes.append(
            f"{len(grid.codes)} codes have a row: the longest alerted, then the farthest from equal. "
            f"The last row is the mean of the other {grid.folded}, {hidden or 'none'} of them alerted."
        )
    return notes
