"""The report page: what it says, that its SQL gives its numbers, and what happens where it cannot be written."""

import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Comparison, Config, OutputSettings, StoreSettings
from streammetrics.query import statement as queries
from streammetrics.report import explain, page
from streammetrics.report.heatmap.grid import make_grid
from streammetrics.report.page import data, figures, incidents, render
from streammetrics.report.page.data import Page
from streammetrics.report.page.errors import Series, errors
from streammetrics.store.connection import Store
from tests.histories import NOW as NOON
from tests.histories import history, loaded
from tests.oracles.mean_rules import Record
from tests.report.pages import HOSTILE, NEW, NOW, OLD, a_week, hostile
from tests.streams import MONDAY, moment_of, reporting

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Config, Page]:
    store, config = hostile(tmp_path_factory.mktemp("page"))
    return store, config, data.collect(store, config, NOW)


def test_a_page_answers_what_who_is_paged_asks() -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", render.render(a_week(codes=20, incidents=2)).split("<script")[0]).split())
    for words in (
        "1 open incident: code E_000",
        "All times are UTC. Last record 2026-11-30 01:00:00 · page made 2026-11-30 01:00:00 · store s.duckdb",
        "1.1 against 1.0 worse 1 open incident: 7 Judged up to now",
        "clients: last record 2026-11-30 01:00:00, loaded 2 min ago",
        "To do a.csv: no column is named ts",
        "Since 2026-11-24 00:00:00 UTC, first alert 2026-11-24 00:01:00 UTC",
        "Is it over not over: last alert 2026-11-24 01:01:00 UTC",
        "Is it over resolved: last alert 2026-11-24 01:01:00 UTC",
        "How much worse x3: 100 → 300 errors at its peak",
        "Who is hit users of 1.1 : equal exposure; 1,340 clients of it, 12 of 1.0 , counted",
        "Evidence 10^20.5, required 10^6.94 (rule regression )",
        "Notices OPENED to stdout: not sent yet",
        "2 of 20 error codes alerted: E_010, E_000. Each column is the mean of 11 neighbouring bins (660 s).",
        "streammetrics explain --code 1",
    ):
        assert words in text


def test_a_page_without_comparisons_does_not_look_healthy() -> None:
    text = render.render(replace(a_week(codes=20, incidents=0), compared=[]))
    assert "No open incident; nothing is compared now</h1>" in text


@pytest.mark.parametrize("code", [*HOSTILE, "it's", "''", ""])
def test_values_can_be_copied(code: str) -> None:
    assert duckdb.sql(f"select {incidents.literal(code)}").fetchall() == [(code,)]
    shown = subprocess.run(["bash", "-c", f"printf %s {incidents.argument(code)}"], capture_output=True, check=True)
    assert shown.stdout.decode() == code
    assert (incidents.literal(code) + incidents.argument(code)).isprintable()


@pytest.mark.parametrize(
    ("ratio", "labels"), [(2.0, {"0.5", "1", "2"}), (6.0, {"0.25", "0.5", "1", "2", "4"}), (100.0, {"0.015625", "64"})]
)
def test_ratios_are_marked_at_powers_of_two(ratio: float, labels: set[str]) -> None:
    (panel,) = a_week(codes=20, incidents=0).panels
    drawn = replace(panel.heatmap, detector="mean_ratio", values=np.full((20, 10080), ratio), threshold=1.25)
    text = json.dumps(figures.heatmap(replace(panel, heatmap=drawn, grid=make_grid(drawn))))
    assert labels <= set(re.findall(r'\[-?[\d.]+, ?"([^"]+)"\]', text))


def test_an_incident_without_evidence_has_a_figure() -> None:
    (details,) = a_week(codes=20, incidents=1).details
    filled = figures.incident(replace(details, evidence=()))
    assert (filled["alerts"], filled["values"], filled["required"]) == ([], [], [])


def test_names_at_the_axis_are_no_formulas() -> None:
    (panel,) = a_week(codes=20, incidents=0).panels
    names = tuple(f"$$x_{code}$$" for code in panel.grid.codes)
    renamed = replace(
        panel, heatmap=replace(panel.heatmap, alerted=()), grid=replace(panel.grid, codes=names, alerted=())
    )
    text = json.dumps(figures.heatmap(renamed))
    assert len(re.findall(r'"name": "PlainText", "id": "\w+", "attributes": \{"text": "\$\$x_', text)) == 20


@slow
def test_each_hostile_code_has_an_incident(found: tuple[Store, Config, Page]) -> None:
    page = found[2]
    assert {one.code for one in page.listed} == set(HOSTILE)
    assert {(one.baseline, one.candidate) for one in page.listed} == {(OLD, NEW)}


@slow
def test_sql_of_the_page_gives_its_numbers(found: tuple[Store, Config, Page]) -> None:
    store, _, page = found
    for one in page.details:
        figures, rates, alerts = (queries.run(store, sql).rows for sql in one.queries.values())
        it = one.incident
        assert len(figures) == 1
        assert [figures[0][place] for place in (0, 4, 5)] == [it.state, it.baseline_errors, it.candidate_errors]
        steps = np.zeros((2, one.series.steps), int)
        for step_ts, *counts in rates:
            second = int((np.datetime64(step_ts) - np.datetime64("1970-01-01")) / np.timedelta64(1, "s"))
            steps[:, (second - one.series.first_second) // one.series.step_seconds] = counts
        assert (steps == [one.baseline_errors, one.candidate_errors]).all()
        assert steps[0].sum() > 0
        assert max(value for _, value, _ in one.evidence) == max(row[2] for row in alerts) == it.value
        assert all(value > required for _, value, required in one.evidence)


@slow
def test_the_command_of_the_page_explains_why_it_fired(found: tuple[Store, Config, Page]) -> None:
    store, config, page = found
    (one,) = (one for one in page.details if one.incident.code == HOSTILE[0])
    _, command, _, rule, _, code, _, at = shlex.split(one.explain)
    assert command == "explain"
    (explained,) = explain.explain(store, config, code, moment_of(0).fromisoformat(at), rule)
    assert explained.gate is None


@slow
def test_errors_of_a_heatmap_are_those_of_its_cells(found: tuple[Store, Config, Page]) -> None:
    store, _, page = found
    (panel,) = page.panels
    with store.read() as connection:
        sql = "select code, build, sum(errors)::int from counters where second >= ? and second < ? group by all"
        first = panel.heatmap.first_bin
        ends = (moment_of(first), moment_of(first + panel.heatmap.values.shape[1] * panel.heatmap.bin_seconds))
        sent = {(code, build): count for code, build, count in connection.exec_driver_sql(sql, ends)}
    for side, counts in zip((OLD, NEW), panel.errors, strict=True):
        assert dict(zip(panel.grid.codes, counts.sum(axis=1), strict=True)) == {
            code: sent[code, side] for code in panel.grid.codes
        }


@slow
def test_codes_of_a_series_are_added_up(tmp_path: Path) -> None:
    records = [Record(MONDAY + second, "1.0", code) for second in range(50) for code in "ab"]
    with loaded(tmp_path / "s.duckdb", records).read() as connection:
        both, one = errors(
            connection, [Series("1.0", ("a", "b"), MONDAY, 20, 3), Series("1.0", ("a",), MONDAY + 10, 10, 2)]
        )
    assert (both.tolist(), one.tolist()) == ([40, 40, 20], [10, 10])


@slow
def test_a_baseline_of_the_day_before_has_the_errors_of_then(tmp_path: Path) -> None:
    config = Config(comparison=(Comparison(baseline="earlier"),), store=StoreSettings(path="s.duckdb"), base=tmp_path)
    records = [Record(MONDAY + second, "1.0", code) for second in range(0, 90_000, 10) for code in "abcd"]
    records += [Record(MONDAY + second, "1.0", "a") for second in range(87_000, 90_000, 3)]
    store = history(tmp_path / "s.duckdb", records, config)
    found = data.collect(store, config, moment_of(MONDAY + 90_000))
    (one,) = found.details
    assert one.incident.baseline == "* a day earlier"
    assert one.baseline_errors.sum() == (one.series.until_second - MONDAY - 86_400) // 10
    _, rates, _ = (queries.run(store, sql).rows for sql in one.queries.values())
    assert sum(row[1] for row in rates) == one.baseline_errors.sum()


@slow
def test_what_there_is_no_room_for_is_counted(
    found: tuple[Store, Config, Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, config, _ = found
    monkeypatch.setattr(incidents, "MOST_LISTED", 5)
    monkeypatch.setattr(incidents, "MOST_DRAWN", 2)
    text = render.render(data.collect(store, config, NOW))
    assert text.count("<article") == 2
    assert text.count("<tr data-state") == 5
    assert f"{len(HOSTILE) - 5} more incidents are left out" in text
    assert f"The first 2 of {len(HOSTILE)} incidents" in text


@slow
def test_names_are_escaped(found: tuple[Store, Config, Page]) -> None:
    text = render.render(found[2])
    for harmful in ("<script>alert", "<img", "\u202e", "\x1b"):
        assert harmful not in text
    assert "{{ 7 * 7 }}" in text
    assert Counter(re.findall("</?script", text)) == {"<script": 4, "</script": 4}


@slow
def test_a_store_without_incidents_or_records_has_a_page(tmp_path: Path) -> None:
    config = Config(store=StoreSettings(path="s.duckdb"), base=tmp_path)
    for records in ([], [Record(MONDAY + second, build, "7") for second in range(600) for build in ("1.0", "1.1")]):
        store = history(tmp_path / f"{len(records)}.duckdb", records, config)
        text = page.write(store, config, tmp_path / "out", NOW).read_text(encoding="utf-8")
        assert ("No open incident</h1>" if records else "No records yet</h1>") in " ".join(text.split())
        assert "<p>None.</p>" in text
        assert ("Nothing was judged in this time." in text) == (not records)
        assert ("Last record none yet" in text) == (not records)


@slow
def test_a_run_writes_the_page_where_it_is_set_and_reports_where_it_cannot(tmp_path: Path) -> None:
    lines = ["ts,build,code"]
    for second in range(1800):
        sent = ["1.0,7"] + ["1.1,7"] * (1 if second < 900 else 6)
        lines += [f"{moment_of(MONDAY + second)},{row}" for row in sent]
    records = tmp_path / "errors.csv"
    records.write_text("\n".join(lines) + "\n")
    for name, is_blocked in (("free", False), ("blocked", True)):
        output = OutputSettings(dir=name, report=True)
        config = Config(store=StoreSettings(path=f"{name}.duckdb"), output=output, base=tmp_path)
        printed, said = list[str](), list[str]()
        session = Session(config, reporting(said.append), printed.append, lambda: NOON)
        target = tmp_path / name / "index.html"
        if is_blocked:
            (target / "folder").mkdir(parents=True)
        assert pipeline.run(session, [records], is_final=False, exit_code=False) == (74 if is_blocked else 0)
        assert [line.split()[0] for line in printed] == ["OPENED"]
        assert len(list((tmp_path / name).glob("*.png"))) == 1
        assert target.is_file() == (not is_blocked)
        assert [line.split(":")[0] for line in said] == ["the report could not be written"] * is_blocked
        assert list((tmp_path / name).glob(".*")) == []
    assert "OPENED to stdout: 2026-11-23 12:00:00 UTC" in (tmp_path / "free" / "index.html").read_text()


@slow
def test_a_run_without_page_and_channels_imports_nothing_for_them() -> None:
    imported = "import sys; from streammetrics.cli import outputs, pipeline, pictures"
    script = f"{imported}; print({{'bokeh', 'jinja2', 'apprise'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@slow
def test_the_time_of_a_page_can_be_set(found: tuple[Store, Config, Page]) -> None:
    store, config, _ = found
    until = MONDAY + 900
    early = data.collect(store, config, NOW, MONDAY + 300, until)
    assert early.span == (MONDAY + 300, until)
    assert early.panels[0].heatmap.first_bin == MONDAY + 300
    assert early.panels[0].heatmap.values.shape == ((11, 60))
