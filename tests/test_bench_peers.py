"""The benchmark of peers: the judge, the peers that need nothing but what CI has, and the page."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from bench.peers import elastalert, events, frames, ours, prometheus, reference, table, vmalert
from bench.peers.__main__ import causes
from bench.peers.judge import Cause, Incident, Score, judged, merged
from bench.peers.scenarios import BASELINE, CANDIDATE, CASES, HOUR, START, Case, make
from streammetrics.config import REFERENCE_RULES, Config
from streammetrics.detect import passes
from streammetrics.simulate.generate import Change
from tests.oracles.mean_rules import Record
from tests.programs import program
from tests.streams import MONDAY, clock, current_alerts, empty_store, load

CAUSE = Cause("7", 600, 6000)


@pytest.mark.parametrize(
    ("incidents", "score"),
    [
        ([], Score(0, (None,))),
        ([Incident("7", 900)], Score(0, (300,))),
        ([Incident("7", 900, 6000)], Score(0, (300,))),
        ([Incident("7", 900, 5999)], Score(0, (300,), wrong_resolves=1)),
        ([Incident("7", 2000, 3000), Incident("7", 900, 1200)], Score(0, (300,), wrong_resolves=2, duplicates=1)),
        ([Incident("8", 900, 1200)], Score(1, (None,))),
        # What opened before its cause is false, and does not report it.
        ([Incident("7", 599)], Score(1, (None,))),
        ([Incident("7", 6000)], Score(1, (None,))),
    ],
)
def test_incidents_are_judged_by_their_cause(incidents: list[Incident], score: Score) -> None:
    assert judged(incidents, [CAUSE]) == score


def test_scores_add_up() -> None:
    assert Score(1, (60,), 2, 3) + Score(4, (None, 90), 5, 6) == Score(5, (60, None, 90), 7, 9)


def test_alerts_near_each_other_are_one_incident() -> None:
    moments = {"7": [60, 360, 900], "8": [1140]}
    assert merged(moments, 300, 1200) == [Incident("7", 60, 660), Incident("7", 900, 1200), Incident("8", 1140)]


def test_a_late_batch_is_seen_when_it_comes_and_its_truth_is_known(tmp_path: Path) -> None:
    make(CASES["late"], 1, tmp_path / "late.csv")
    read = events.read(tmp_path / "late.csv")
    late = read.frame.filter(pl.col("seen") > pl.col("second"))
    assert set(late["seen"]) == {5400, 7200}
    assert late.filter("is_candidate")["second"].min() == 4800
    assert read.frame["seen"].is_sorted()
    assert read.counts(60).sum() == read.frame.height
    assert causes(tmp_path / "late.csv") == [Cause("E1", HOUR, 9000), Cause("E4", HOUR, 9000)]


@pytest.mark.slow
def test_pandas_and_polars_find_the_alerts_of_mean_ratio(tmp_path: Path) -> None:
    dice = random.Random(3)
    records = [
        Record(MONDAY + dice.randrange(600), build, code)
        for build, number in ((BASELINE, 300), (CANDIDATE, 500))
        for code in ("7", "404")
        for _ in range(number)
    ]
    rule = next(rule for rule in REFERENCE_RULES if rule.detector == "mean_ratio")
    with empty_store() as connection:
        load(connection, records)
        passes.judge(connection, Config(rule=(rule,)), clock)
        found = {(key.code, key.window_bins, key.stop) for key in current_alerts(connection)}
    assert len(found) > 50
    path = tmp_path / "records.csv"
    lines = (f"{datetime(1970, 1, 1) + timedelta(seconds=one.second)},{one.build},{one.code}" for one in records)
    path.write_text("\n".join(["ts,build,code", *lines, ""]))
    assert frames.with_polars(str(path))["mean_ratio"] == len(found)
    assert frames.with_pandas(str(path))["mean_ratio"] == len(found)


def test_a_code_is_silent_for_as_long_as_elastalert_is_to() -> None:
    rule_type = SimpleNamespace(matches=[], garbage_collect=lambda now: None)
    rule = {"type": rule_type, "query_key": "code", "realert": timedelta(minutes=2)}

    def feed(rule: elastalert.Rule, now: datetime, second: int) -> None:
        rule["type"].matches += [{"code": "7"}, {"code": "8"}] if second == 120 else [{"code": "7"}]

    found = list(elastalert.alerts_of(rule, START, 300, feed))
    assert found == [Incident("7", 60), Incident("8", 120), Incident("7", 180), Incident("7", 300)]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> events.Events:
    """Twenty minutes of four codes, one of which is ten times as frequent after five."""
    case = Case("", (Change(kind="step", code="E2", at_second=300, ratio=10),), seconds=1200)
    path = tmp_path_factory.mktemp("broken") / "broken.csv"
    make(case, 1, path)
    return events.read(path)


def test_prometheus_fires_where_a_code_increases(broken: events.Events) -> None:
    program("promtool", "prometheus")
    (found,) = prometheus.alerts(broken)
    assert found.code == "E2"
    # Ten minutes is what its rule waits.
    assert 900 <= found.opened <= 1020
    assert found.resolved is None


def test_rules_that_cannot_be_read_are_no_silence(
    broken: events.Events, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("promtool", "prometheus")
    (tmp_path / "rules.yml").write_text("groups: [{name: a, rules: [{alert: B, expr: '('}]}]")
    monkeypatch.setattr(prometheus, "RULES", tmp_path / "rules.yml")
    with pytest.raises(RuntimeError, match="could not parse expression"):
        prometheus.alerts(broken)


@pytest.mark.slow
def test_ours_reports_where_a_code_increases(broken: events.Events) -> None:
    (found,) = ours.alerts(broken)
    assert found.code == "E2"
    assert 360 < found.opened <= 600
    assert found.resolved is None


def test_a_replay_minute_by_minute_finds_what_one_look_finds(broken: events.Events) -> None:
    counters = broken.frame.group_by("second", pl.col("is_candidate").alias("build"), "code").len()
    pairs, complete_until = frames.pairs_of(counters)
    at_once = frames.polars_alerts(pairs, complete_until, *frames.RULES[0])
    found = frames.alerts(broken)
    assert {one.code for one in found} == set(at_once["code"]) != set()
    first = dict(at_once.group_by("code").agg(pl.col("bin").min() + 10).iter_rows())
    opened = {code: min(one.opened for one in found if one.code == code) for code in first}
    assert all(0 <= opened[code] - second <= 70 for code, second in first.items())


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"promtool is not installed \(Debian: apt-get install prometheus\)"):
        prometheus.prepare()
    with pytest.raises(SystemExit, match=r"victoria-metrics is not installed \(Debian: apt-get install victoria-m"):
        vmalert.prepare()


def test_alerts_of_the_reference_program_are_incidents(reference_data: Path) -> None:
    assert reference.rows(reference_data / "set_a") == [
        ("mean_ratio", 8010, 3, 51, 26),
        ("mean_difference", 157, 4, 0, 0),
    ]


def test_a_line_names_what_was_found_and_what_was_false() -> None:
    scores = dict.fromkeys(CASES, Score(3)) | {"sparse": Score(0, (60, None, 180), 1, 2), "step": Score(1, (None,))}
    costs = [table.Cost(1.25, 310.4), table.Cost(0.5, 99.9)]
    cells = (
        "a peer",
        "2 of 3, 120 s, 0 false",
        "0 of 1, 1 false",
        *["3 false"] * 4,
        "13",
        "1",
        "2",
        "1.2; 0.5",
        "310; 100",
    )
    assert table.Line("a peer", scores, costs).cells() == cells
    assert table.Line("a peer", scores, costs, is_resolving=False).cells()[8] == "never resolves"


def test_the_page_is_what_the_target_writes() -> None:
    """Its words are those of the template, its rows those of all peers."""
    written = (Path(__file__).parents[1] / "docs" / "peers.md").read_text("utf-8")
    words, _, rest = table.page([], []).partition("| --- |")
    assert written.startswith(words)
    assert written.endswith(rest.rpartition("| --- |\n")[2])
