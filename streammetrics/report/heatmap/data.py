"""The heatmaps of a span of time: which ones, their data, and their files."""

import hashlib
import logging
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from streammetrics.config import Config, Rule, SequentialRule
from streammetrics.detect import portions
from streammetrics.errors import InputOutputError, UsageError
from streammetrics.runtime import atomic_files, utc
from streammetrics.runtime.utc import DAY_SECONDS
from streammetrics.store.connection import Store
from streammetrics.store.statements import run, statement
from streammetrics.store.views import EXPOSURE_LEAD_SECONDS, PORTION_SECONDS, Slice, compose, lags

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_CODES = 1000
"""Most codes that are read for a picture: clients may send any number, and a picture has few rows."""

# Views exist from the first pass on.
_SPAN = "select first_second, end_second from span"

_Row = tuple[str, "NDArray[np.int64]", "NDArray[np.float64]"]
"""A code, epoch seconds of its bins, and their values."""


@dataclass(frozen=True)
class AlertedWindow:
    """A time span in which a code was alerted, in epoch seconds; the end is exclusive. `ratio`: None if unknown."""

    code: str
    start_second: int
    end_second: int
    ratio: float | None = None


@dataclass(frozen=True)
class Heatmap:
    """What is drawn: the bin values of one rule and comparison, and where they alerted.

    Args:
        window_bins: lengths of the rule's windows, in bins.
        threshold: the window mean above which the rule alerts, in the unit of the values; NaN for other rules.
        first_bin: start of the first column, epoch seconds.
        codes: names of the rows, in any order; at least one.
        values: shape (codes, bins); NaN where a bin has no records or is not judged.
        alerted: windows of these codes that lie at least partly in the picture.
    """

    rule: str
    detector: str
    baseline: str
    candidate: str
    bin_seconds: int
    window_bins: tuple[int, ...]
    threshold: float
    first_bin: int
    codes: tuple[str, ...]
    values: "NDArray[np.float64]"
    alerted: tuple[AlertedWindow, ...]


def stretch(connection: Connection, after: int | None = None, until: int | None = None) -> tuple[int, int] | None:
    """The part of (after, until] (epoch seconds) that has data, by default of the last day; None without any record."""
    row = connection.exec_driver_sql(compose(_SPAN)).one_or_none()
    if row is None:
        return None
    until = row.end_second if until is None else until
    after = max(until - DAY_SECONDS if after is None else after, row.first_second)
    return after, min(until, row.end_second)


def heatmaps(
    connection: Connection,
    config: Config,
    after: int | None = None,
    until: int | None = None,
    rule: str | None = None,
) -> list[Heatmap]:
    """One heatmap per rule and comparison, of bins that end in (after, until] (epoch seconds), or of the last day."""
    found = stretch(connection, after, until)
    if found is None:
        return []
    after, until = found
    before = lags(connection)
    within = {"after": after, "until": until}
    codes = run(connection, "reports/pictured_codes", {**within, "most": MOST_CODES}).scalars().all()
    lead = EXPOSURE_LEAD_SECONDS + 2 * max(one.bin_seconds for one in config.rule)
    length = max(PORTION_SECONDS, portions.longest_seconds(connection, config, lead, after, until))
    parts = portions.cut(connection, length, lead, after, until)
    pieces = [Slice(part.after, part.until, lead, lags=before) for part in parts]
    return [
        drawn
        for one in sorted(config.rule, key=lambda one: one.name)
        if rule in (None, one.name)
        for drawn in _heatmaps(connection, one, pieces, codes, within)
    ]


def last_day(store: Store, config: Config) -> list[Heatmap]:
    """The heatmaps of the last day."""
    with store.read() as connection:
        return heatmaps(connection, config)


def draw_all(drawn: Iterable[Heatmap], folder: Path) -> list[Path]:
    """Draw heatmaps into `folder`; the pictures' paths."""
    return [draw_one(one, folder / f"heatmap-{_file_name(one)}.png") for one in drawn]


def draw(
    store: Store, config: Config, target: Path, rule: str | None, since: datetime | None, until: datetime | None
) -> list[Path]:
    """Draw the heatmaps of a span of time, by default the last day: one to `target`, several beside it with suffixes.

    Raises:
        UsageError: the rule is not configured, or nothing was judged in that time.
    """
    names = [known.name for known in config.rule]
    if rule is not None and rule not in names:
        raise UsageError(f"--rule {rule}: there is no such rule; there are: {', '.join(names)}")
    after, end = (None if moment is None else utc.second_of(moment) for moment in (since, until))
    with store.read() as connection:
        drawn = heatmaps(connection, config, after, end, rule)
    if not drawn:
        raise UsageError(
            "there is nothing to draw: no bins of this rule and time were judged; `streammetrics status` shows the span"
        )
    if len(drawn) == 1:
        return [draw_one(drawn[0], target)]
    return [draw_one(one, target.with_name(f"{target.stem}-{_file_name(one)}{target.suffix}")) for one in drawn]


def draw_one(heatmap: Heatmap, path: Path) -> Path:
    """Write the picture to `path`, atomically; returns the path.

    Raises:
        UsageError: the suffix is neither .png nor .svg.
        InputOutputError: the file cannot be written.
    """
    if path.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"{path}: the suffix of a heatmap must be .png or .svg")
    # Before the import, which logs remarks on caches and fonts that cron would mail.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from streammetrics.report.heatmap import picture

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_files.replacing(path) as unfinished:
            picture.save(heatmap, unfinished)
    except OSError as error:
        raise InputOutputError(f"{path}: the heatmap cannot be written: {atomic_files.reason(error)}") from None
    return path


def _file_name(heatmap: Heatmap) -> str:
    """A file name for a picture that is unique to its rule and comparison, whatever the names of builds."""
    title = f"{heatmap.rule}-{heatmap.baseline}-{heatmap.candidate}"
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", title)[:100]
    return safe if safe == title else f"{safe}-{hashlib.sha256(title.encode()).hexdigest()[:8]}"


def _heatmaps(
    connection: Connection,
    rule: Rule | SequentialRule,
    pieces: Sequence[Slice],
    codes: Sequence[str],
    within: Mapping[str, int],
) -> Iterator[Heatmap]:
    """The heatmaps of a rule's comparisons that have bins; `within`: after, until (epoch seconds).

    One query reads the bins of all comparisons, and one their alerts: each would compute all of them.
    """
    import numpy as np

    found: dict[tuple[str, str], tuple[list[int], list[_Row]]] = {}
    for piece in pieces:
        part = {"rule": rule.name, "after": piece.after, "until": piece.until, "codes": codes}
        sql = compose(statement("reports/picture_cells"), piece)
        for baseline, candidate, code, seconds, values in connection.exec_driver_sql(sql, part):
            empty, cells = found.setdefault((candidate, baseline), ([], []))
            if code is None:
                empty += seconds
            else:
                cells.append((code, np.array(seconds), np.array(values, float)))
    alerted: dict[tuple[str, str], list[AlertedWindow]] = {}
    windows = compose(statement("reports/pictured_windows"), alerts=statement("reports/pictured_alerts"))
    for baseline, candidate, *window in connection.exec_driver_sql(windows, {"rule": rule.name, **within}):
        alerted.setdefault((candidate, baseline), []).append(AlertedWindow(*window))
    for (candidate, baseline), (empty, cells) in sorted(found.items()):
        if not cells:
            continue
        rows = {code: row for row, code in enumerate(sorted({code for code, _, _ in cells}))}
        first = int(min([*empty, *(seconds.min() for _, seconds, _ in cells)]))
        last = int(max([*empty, *(seconds.max() for _, seconds, _ in cells)]))
        values = np.full((len(rows), (last - first) // rule.bin_seconds + 1), np.nan)
        values[:, (np.array(empty, np.int64) - first) // rule.bin_seconds] = 0
        for code, seconds, bin_values in cells:
            values[rows[code], (seconds - first) // rule.bin_seconds] = bin_values
        yield Heatmap(
            rule=rule.name,
            detector=rule.detector,
            baseline=baseline,
            candidate=candidate,
            bin_seconds=rule.bin_seconds,
            window_bins=rule.window_bins,
            # Evidence is not measured in the unit of the bins.
            threshold=rule.threshold if isinstance(rule, Rule) else math.nan,
            first_bin=first,
            codes=tuple(rows),
            values=values,
            alerted=tuple(alerted.get((candidate, baseline), ())),
        )
