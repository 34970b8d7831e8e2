"""Stores for tests of the report page, and the page of a week that no store was filled for."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from streammetrics.config import Config, StoreSettings
from streammetrics.report.heatmap import AlertedWindow, Heatmap
from streammetrics.report.heatmap.grid import make_grid
from streammetrics.report.page.data import Compared, Feed, Page, Panel
from streammetrics.report.page.errors import Series
from streammetrics.report.page.incidents import Details, Incident, Notice
from streammetrics.store.connection import Store
from tests.histories import history
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, moment_of

NOW = datetime(2026, 11, 23, 1)
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "\"onmouseover='alert(3)'",
    "\u202eevil\u202c",
    "$$\\frac{1}{2}$$",
    "{{ 7 * 7 }}",
    "a\nb\x1b[31m",
    "$code",
    "W" * 5000,
)
OLD, NEW = "1.9", "1.10-<img src=x onerror=alert(4)>"


def hostile(folder: Path) -> tuple[Store, Config]:
    """Forty minutes of two builds; of each hostile code the new one sends more in the second half."""
    records = [Record(MONDAY + second, build, code) for second in range(2400) for build in (OLD, NEW) for code in "78"]
    for place, code in enumerate(HOSTILE):
        records += [Record(MONDAY + second, OLD, code) for second in range(place, 2400, 20)]
        records += [Record(MONDAY + second, NEW, code) for second in range(place, 2400, 20)]
        records += [Record(MONDAY + second, NEW, code) for second in range(1200 + place, 2400, 3)]
    config = Config(store=StoreSettings(path="s.duckdb"), base=folder)
    return history(folder / "s.duckdb", records, config), config


def a_week(codes: int = 500, bin_seconds: int = 60, incidents: int = 50) -> Page:
    """A page of as much as there ever is: a week, each tenth code alerted."""
    random = np.random.default_rng(7)
    bins = 7 * 86400 // bin_seconds
    values = (random.poisson(2.0, (codes, bins)) - random.poisson(2.0, (codes, bins))).astype(np.float64)
    names = tuple(f"E_{code:03}" for code in range(codes))
    alerted = tuple(
        AlertedWindow(code, MONDAY + 86400, MONDAY + 90000 + 600 * place) for place, code in enumerate(names[::10])
    )
    heatmap = Heatmap(
        "regression", "sequential", "1.0", "1.1", bin_seconds, (), float("nan"), MONDAY, names, values, alerted
    )  # fmt: skip
    grid = make_grid(heatmap)
    counts = random.poisson(40.0, grid.values.shape), random.poisson(40.0, grid.values.shape)
    listed = [incident(place, names[place * 10]) for place in range(incidents)]
    return Page(
        now=NOW + timedelta(days=7),
        store=Path("s.duckdb"),
        last_ts=NOW + timedelta(days=7),
        span=(MONDAY, MONDAY + 7 * 86400),
        compared=[Compared("1.0", "1.1", "worse", "1 open incident: 7", judged="up to now")],
        feeds=[Feed("clients: last record 2026-11-30 01:00:00, loaded 2 min ago", is_silent=False)],
        to_do=["a.csv: no column is named ts"],
        found=incidents,
        listed=listed,
        details=[details(one) for one in listed],
        panels=[Panel(heatmap, grid, counts)],
        left_out=0,
    )


def incident(place: int, code: str) -> Incident:
    """Each third is open; the later ones are worse."""
    return Incident(
        incident_id=place,
        rule="regression",
        detector="sequential",
        baseline="1.0",
        candidate="1.1",
        code=code,
        state="resolved" if place % 3 else "open",
        start_ts=moment_of(MONDAY + 86400),
        opened_ts=moment_of(MONDAY + 86460),
        stop_ts=moment_of(MONDAY + 90000),
        end_ts=moment_of(MONDAY + 90060),
        baseline_errors=100,
        candidate_errors=300 + place,
        ratio=f"x{3 + place}",
        rank=3.0 + place,
        value=20.5,
        evidence="10^20.5",
        required="10^6.94",
        exposure="equal exposure",
    )


def details(one: Incident) -> Details:
    series = Series("1.0", (one.code,), MONDAY + 80000, 60, 240)
    return Details(
        incident=one,
        series=replace(series),
        baseline_errors=np.full(240, 10),
        candidate_errors=np.arange(240),
        evidence=tuple((MONDAY + 86460 + 12 * place, 7.0 + place / 10, 6.94) for place in range(300)),
        notices=(Notice("opened", "stdout", NOW, None, 12, 1340),),
        queries={"Its figures": "select 1"},
        explain="streammetrics explain --code 1",
    )
