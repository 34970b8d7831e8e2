"""What the picture says in words, cut to the room there is. Names come from records: they are shown, never obeyed."""

from collections.abc import Callable, Sequence

from streammetrics.heatmap import Heatmap
from streammetrics.heatmap.grid import Grid

Width = Callable[[str], float]

_SHOWN_CODES = 12
_MAX_LETTERS = 300


def visible(name: str) -> str:
    """The name with everything that moves, breaks or hides text written as an escape."""
    letters = (
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in name[:_MAX_LETTERS]
    )
    return "".join(letters) + ("…" if len(name) > _MAX_LETTERS else "") or '""'


def fit(text: str, room: float, width: Width) -> str:
    """The text, its middle left out where it is wider than `room`: names often differ at their ends."""
    if width(text) <= room:
        return text
    keep = len(text) - 1
    while keep > 0:
        head, tail = -(-keep // 2), keep // 2
        short = f"{text[:head]}…{text[len(text) - tail :]}"
        wide = width(short)
        if wide <= room:
            return short
        keep = min(keep - 1, int(keep * room / wide))
    return "…"


def headline(grid: Grid, room: float, width: Width) -> str:
    """How many codes were alerted, and which, the longest alerted first."""
    total = len(grid.codes) + grid.folded
    if not grid.alerted:
        return f"no alerts in {_count(total, 'error code')}"
    names = [fit(visible(code), room / 5, width) for code in grid.alerted[:_SHOWN_CODES]]
    text = ""
    for shown in range(len(names), 0, -1):
        rest = len(grid.alerted) - shown
        more = f" and {rest} more" if rest else ""
        text = f"{len(grid.alerted)} of {_count(total, 'error code')} alerted: {', '.join(names[:shown])}{more}"
        if width(text) <= room:
            break
    return text


def comparison(heatmap: Heatmap, room: float, width: Width) -> str:
    candidate, baseline = (fit(visible(build), room * 0.36, width) for build in (heatmap.candidate, heatmap.baseline))
    return fit(f"candidate {candidate} against baseline {baseline}", room, width)


def rule(heatmap: Heatmap, room: float, width: Width) -> str:
    name = fit(visible(heatmap.rule), room * 0.25, width)
    windows = _either([str(bins) for bins in sorted(heatmap.window_bins)])
    bins = f"{windows} bin{'s' if heatmap.window_bins != (1,) else ''} of {heatmap.bin_seconds} s"
    text = f"rule {name} ({heatmap.detector}): alerts where the mean of {bins} is above {heatmap.threshold:g}"
    return fit(text, room, width)


def notes(heatmap: Heatmap, grid: Grid) -> list[str]:
    """What was folded, so that nobody takes a mean for a bin."""
    said = []
    if grid.column_bins > 1:
        seconds = grid.column_bins * heatmap.bin_seconds
        said.append(f"Each column is the mean of {grid.column_bins} neighbouring bins ({seconds} s).")
    if grid.folded:
        shown = len(grid.codes)
        hidden = len(set(grid.alerted) - set(grid.codes))
        said.append(
            f"{shown} of {shown + grid.folded} codes have a row: the longest alerted, then the farthest from equal. "
            f"The last row is the mean of the other {grid.folded}, of which {hidden or 'none'} "
            f"{'was' if hidden == 1 else 'were'} alerted."
        )
    return said


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _either(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)
