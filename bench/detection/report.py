"""The tables: what was measured against what issue and docs promise, the families one by one, and the peers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from statistics import median

from bench.detection.detectors import DETECTORS, PEERS
from bench.detection.families import (
    CHANGES,
    CLIENTS,
    FAMILIES,
    NULLS,
    RELEASE_CHANGES,
    RELEASED_SECONDS,
    RELEASES,
    Family,
)
from bench.detection.measure import LATER_SECONDS, SOON_SECONDS, Tally
from bench.detection.optimum import RATES, RATIOS, mean_delay
from bench.detection.streams import BIN_SECONDS
from bench.detection.timing import Timing
from streammetrics.simulate.backtest import poisson

Tallies = Mapping[tuple[str, str], Tally]

FOR_PEERS = (
    "rate-0.02", "rate-1", "rate-10", "daily", "burst-10", "burst-40", "gamma", "share-0.1", "rollout", "surge",
    "improvement", "lost-5m", "step-0.02-x5", "step-1-x1.5", "step-5-x1.25", "share-0.1-x2", "daily-x2", "burst-40-x3",
    "new-code", "ramp", "spike-10m",
)  # fmt: skip
"""The families that peers are given."""

OVER_OPTIMUM, LEAST_SECONDS = 1.12, 100
"""The mean delay may be so much of the optimum and a bin, or what `min_bins` bins and one take."""
FOUND_WITHIN_THE_HOUR = ("step-0.02-x5", "step-1-x1.5", "step-5-x1.25")
RUNNING = ("hour", "day")
RESOLVED_SECONDS = {"spike-10m": 420, "hour": 600}
AS_ONE = ("spike-10m", "hour", "day")
MEDIAN_SECONDS = {
    "burst-10-x3": 300, "burst-40-x3": 900, "earlier-0.1-x3": 1200, "earlier-1-x3": 180,
    "earlier-requests-0.1-x3": 1200, "earlier-requests-1-x3": 180,
}  # fmt: skip
ONSET_SECONDS = {"step-1-x2": 30, "step-0.1-x5": 90}
CLIENT_LIMITS = {3: 1 / 50, 20: 1 / 50, 60: 1 / 10}


@dataclass(frozen=True)
class Table:
    """Rows of cells below a header."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""

    def text(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        shown = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        return "\n".join([self.title, "", *shown, *(["", self.note] if self.note else []), ""])

    def markdown(self) -> str:
        lines = [self.header, ("---",) * len(self.header), *self.rows]
        shown = ["| " + " | ".join(line) + " |" for line in lines]
        return "\n".join([f"### {self.title}", "", *shown, *(["", self.note] if self.note else []), ""])


@dataclass(frozen=True)
class _Row:
    what: str
    seen: str
    target: str
    is_ok: bool

    def cells(self) -> tuple[str, ...]:
        return self.what, self.seen, self.target, "ok" if self.is_ok else "over"


def tables(tallies: Tallies, detector: str, timing: Timing | None) -> tuple[list[Table], bool]:
    """All tables, and whether every target is met."""
    mine = {family: tally for (family, name), tally in tallies.items() if name == detector}
    rows = _targets(mine, timing)
    says = DETECTORS[detector].says
    shown = [Table(f"Targets: {says}", ("what", "seen", "target", ""), [row.cells() for row in rows])]
    if changes := [
        _change_cells(family, mine[family.name]) for family in (*CHANGES, *RELEASE_CHANGES) if family.name in mine
    ]:
        shares = ("found in 10 min", "in 60 min")
        header = ("change", "changes", *shares, "median s", "90 % s", "false / 1,000", "reported as one", "covered")
        note = "Found: less the share of unchanged codes that alerted as soon. False: on the codes that did not change."
        shown.append(Table("Changes", header, changes, note))
    if any(name in tallies for name in ((family, peer.name) for family in FAMILIES for peer in PEERS)):
        shown += _peer_tables(tallies, detector)
    return shown, all(row.is_ok for row in rows)


def _targets(mine: Mapping[str, Tally], timing: Timing | None) -> list[_Row]:
    rows = [_null_row(family, mine[family.name]) for family in NULLS if family.name in mine]
    rows += [row for family in RELEASES if family.name in mine for row in _hour_rows(family, mine[family.name])]
    for rate in RATES:
        for ratio in RATIOS:
            if (tally := mine.get(f"step-{rate:g}-x{ratio:g}")) is not None:
                optimum = mean_delay(rate, ratio) + BIN_SECONDS
                allowed = max(OVER_OPTIMUM * optimum, LEAST_SECONDS)
                over = tally.mean_delay / optimum
                missed = tally.delays.count(None)
                seen = f"{over:.2f} ({tally.mean_delay:.0f} / {optimum:.0f} s" + (
                    f", {missed} missed)" if missed else ")"
                )
                what = f"mean delay over optimum + bin, {rate:g}/s x{ratio:g}"
                rows.append(_Row(what, seen, f"<= {allowed / optimum:.2f}", tally.mean_delay <= allowed))
    rows += [_median_row(mine[name], name, seconds) for name, seconds in MEDIAN_SECONDS.items() if name in mine]
    for family in RELEASE_CHANGES:
        if (tally := mine.get(family.name)) is not None:
            without, with_history = RELEASED_SECONDS[family.name.removeprefix("released-").removesuffix("-after")]
            seconds = with_history if family.name.endswith("-after") else without
            rows.append(_median_row(tally, family.name, seconds))
    for name, limit in ONSET_SECONDS.items():
        if (tally := mine.get(name)) is not None and tally.onset_errors:
            off = median(tally.onset_errors)
            rows.append(
                _Row(f"onset off, median, {FAMILIES[name].says}", f"{off:.0f} s", f"<= {limit} s", off <= limit)
            )
    rows += [row for family in CLIENTS if family.name in mine for row in _client_rows(family, mine[family.name])]
    for name in FOUND_WITHIN_THE_HOUR:
        if (tally := mine.get(name)) is not None:
            found = tally.found(LATER_SECONDS)
            rows.append(_Row(f"found in 60 minutes, {FAMILIES[name].says}", f"{found:.1%}", ">= 99 %", found >= 0.99))
    every = reduce(add, mine.values(), Tally())
    if every.intervals:
        share = every.covered / every.intervals
        seen = f"{share:.1%} of {every.intervals:,}"
        rows.append(_Row("coverage of the 95 % interval at the first alert", seen, ">= 95 %", share >= 0.95))
    for name, limit in RESOLVED_SECONDS.items():
        if (tally := mine.get(name)) is not None and tally.resolves:
            after = median(tally.resolves)
            what = f"resolved after recovery, median, {FAMILIES[name].says}"
            seen = f"{after:.0f} s of {len(tally.resolves)}; {tally.returns} opened again"
            rows.append(_Row(what, seen, f"<= {limit} s", after <= limit))
    ended = reduce(add, (mine[name] for name in AS_ONE if name in mine), Tally())
    if ended.causes:
        what, seen = "causes that read as more than one incident", f"{ended.split} of {ended.causes}"
        rows.append(_Row(what, seen, "<= 1 in 200", 200 * ended.split <= ended.causes))
    for name in RUNNING:
        if (tally := mine.get(name)) is not None and tally.running:
            whole = sum(closings == 0 for closings, _ in tally.running) / len(tally.running)
            again = sum(closings for closings, _ in tally.running) / sum(hours for _, hours in tally.running)
            seen = f"{whole:.1%} as one; closed {again:.3f} times an hour"
            rows.append(_Row(f"a running regression, {FAMILIES[name].says}", seen, "all as one", whole == 1))
    return [*rows, *(_Row(*row) for row in (timing.rows() if timing else ()))]


def _null_row(family: Family, tally: Tally) -> _Row:
    low, high = (1000 * bound / tally.code_days for bound in poisson.interval(tally.false_incidents))
    seen = f"{tally.false_rate:.2f} ({low:.2f}-{high:.2f}), {tally.false_incidents} in {tally.code_days:,.0f}"
    target = "none" if family.limit == float("inf") else f"<= {family.limit:g}"
    return _Row(f"false / 1,000 code-days, {family.says}", seen, target, tally.false_rate <= family.limit)


def _hour_rows(family: Family, tally: Tally) -> list[_Row]:
    """Of a release: hours of the codes that are counted apart, and of the others."""
    assert family.hour_limits is not None
    apart, others = family.hour_limits
    hours, bursty = 24 * tally.code_days, 24 * tally.bursty_days
    cells = [(family.says, tally.false_incidents - tally.bursty_incidents, hours - bursty, others)]
    if apart is not None:
        name, incidents, calm, limit = cells[0]
        cells = [(f"{name}: those", tally.bursty_incidents, bursty, apart), (f"{name}: others", incidents, calm, limit)]
    return [
        _Row(
            f"false / first hour, {what}",
            f"{count} in {hours:,.0f}",
            f"<= 1 in {1 / limit:,.0f}",
            count <= limit * hours,
        )
        for what, count, hours, limit in cells
    ]


def _client_rows(family: Family, tally: Tally) -> list[_Row]:
    limit = CLIENT_LIMITS[int(family.name.rpartition("-")[2].removesuffix("s"))]
    seen = f"{tally.opened} of {tally.clients:,}"
    divided = f"{tally.divided} of {tally.opened}"
    return [
        _Row(f"alerts, {family.says}", seen, f"<= 1 in {1 / limit:.0f}", tally.opened <= limit * tally.clients),
        _Row(f"as more than one incident, {family.says}", divided, "<= 1 in 200", 200 * tally.divided <= tally.opened),
    ]


def _median_row(tally: Tally, name: str, limit: float) -> _Row:
    seconds = tally.delay_quantile(0.5)
    return _Row(f"median delay, {FAMILIES[name].says}", f"{seconds:.0f} s", f"<= {limit:g} s", seconds <= limit)


def _change_cells(family: Family, tally: Tally) -> tuple[str, ...]:
    covered = f"{tally.covered / tally.intervals:.1%}" if tally.intervals else ""
    whole = f"{sum(closings == 0 for closings, _ in tally.running) / len(tally.running):.0%}" if tally.running else ""
    return (
        family.says, str(len(tally.delays)), f"{tally.found(SOON_SECONDS):.1%}", f"{tally.found(LATER_SECONDS):.1%}",
        f"{tally.delay_quantile(0.5):.0f}", f"{tally.delay_quantile(0.9):.0f}", f"{tally.false_rate:.2f}",
        whole, covered,
    )  # fmt: skip


def _false_cell(tally: Tally) -> str:
    rate = f"{tally.false_rate:.1f}" if tally.false_rate < 100 else f"{tally.false_rate:,.0f}"
    part = tally.false_open_days / tally.code_days
    return f"{rate}, {part:.0%} ({tally.code_days:,.0f})" if part >= 0.005 else f"{rate} ({tally.code_days:,.0f})"


def _peer_tables(tallies: Tallies, detector: str) -> list[Table]:
    names = [detector, *(peer.name for peer in PEERS)]
    quiet = [family for family in FOR_PEERS if FAMILIES[family].is_null and (family, detector) in tallies]
    loud = [family for family in FOR_PEERS if not FAMILIES[family].is_null and (family, detector) in tallies]
    header = tuple(DETECTORS[name].says for name in names)

    def false_cell(family: str, name: str) -> str:
        tally = tallies.get((family, name))
        return "" if tally is None else _false_cell(tally)

    def delay_cell(family: str, name: str) -> str:
        tally = tallies.get((family, name))
        if tally is None:
            return ""
        seconds = tally.delay_quantile(0.5)
        return f"{'never' if seconds == float('inf') else f'{seconds:.0f}'}, {tally.found(LATER_SECONDS):.0%}"

    return [
        Table(
            "Peers: false incidents per 1,000 code-days, part of the time in one (code-days)", ("no change", *header),
            [(FAMILIES[family].says, *(false_cell(family, name) for name in names)) for family in quiet],
        ),
        Table(
            "Peers: median delay in seconds, found in 60 minutes less the null's hit rate", ("change", *header),
            [(FAMILIES[family].says, *(delay_cell(family, name) for name in names)) for family in loud],
            "A detector that alerts at random is soon right: the delay counts only beside the table above.",
        ),
    ]  # fmt: skip
