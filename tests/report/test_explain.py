"""Why a rule fired, or which gate closed: one gate a test, and that an explanation says what a pass did."""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streammetrics.config import Comparison, Config, Exposure, Rule, SequentialRule
from streammetrics.errors import UsageError
from streammetrics.report.explain import Explanation, as_json, explain, render
from streammetrics.store.connection import Store
from tests.cli.test_cli import streammetrics
from tests.histories import history, loaded
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, moment_of, second_of

pytestmark = pytest.mark.slow

MINUTE, HOUR = 60, 3600
EVIDENCE = SequentialRule(name="regression", detector="sequential")
DIFFERENCE = Rule(name="difference", detector="mean_difference", bin_seconds=50, window_bins=(2, 4), threshold=6)
CONFIG = Config(rule=(EVIDENCE, DIFFERENCE))


def stream(more: Iterable[int] = (), seconds: int = HOUR + 30 * MINUTE, code: str = "7") -> list[Record]:
    """Two builds that send code 7 each other second, and the seconds in which the new one sends `code` as well."""
    steady = [Record(MONDAY + second, build, "7") for second in range(0, seconds, 2) for build in ("1.9", "1.10")]
    return steady + [Record(MONDAY + second, "1.10", code) for second in more]


@pytest.fixture(scope="module")
def regressed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """From 0:50 to 1:00 the new build sends three times as many; from then on it sends as many as the old one again."""
    more = range(50 * MINUTE, 60 * MINUTE)
    return history(tmp_path_factory.mktemp("regressed") / "a.duckdb", stream(more), CONFIG)


def the(found: list[Explanation]) -> Any:
    """The only one; untyped, for its figures may be None and are compared."""
    (only,) = found
    return only


def at(store: Store, second: int, code: str = "7", rule: str = "regression", config: Config = CONFIG) -> Any:
    return the(explain(store, config, code, moment_of(MONDAY + second), rule))


def test_what_fired_is_reported_with_its_figures(regressed: Store) -> None:
    found = at(regressed, 55 * MINUTE + 7)
    assert (found.gate, found.start_ts) == (None, moment_of(MONDAY + 55 * MINUTE))
    assert (found.baseline, found.candidate) == ("1.9", "1.10")
    assert (found.bin_baseline_errors, found.bin_candidate_errors) == (5, 15)
    assert found.value is not None
    assert found.value > found.threshold == pytest.approx(6.936514)
    assert found.short_by is None
    assert found.onset is not None
    assert 48 * MINUTE <= second_of(found.onset) - MONDAY <= 50 * MINUTE
    assert (found.exposure, found.candidate_share) == ("assumed", 0.5)
    assert found.dispersion == pytest.approx(1 / found.weight)
    assert found.weight is not None
    assert 0.3 < found.weight < 1, "how bursty errors are is not quite known after an hour"
    assert found.ratio_low is not None
    assert found.ratio_high is not None
    assert found.ratio_low < found.ratio < found.ratio_high
    assert sorted(ratio.rate_ratio for ratio in found.ratios) == list(EVIDENCE.rate_ratios)
    excesses = [ratio.log_likelihood - ratio.log_threshold for ratio in found.ratios]
    assert excesses == sorted(excesses, reverse=True)
    best = found.ratios[0]
    assert (found.rate_ratio, found.windows) == (best.rate_ratio, ())
    figures = (found.value, found.threshold)
    assert figures == pytest.approx([nats / math.log(10) for nats in (best.log_likelihood, best.log_threshold)])
    text = render(found)
    assert "  fired       the evidence, " in text
    assert "5 -> 15 errors" in text
    assert "  exposure    equal exposure assumed\n" in text


def test_it_fires_in_exactly_the_bins_that_have_an_alert(regressed: Store) -> None:
    with regressed.read() as connection:
        stops = "select rule, epoch(stop_ts)::bigint from alerts where code = '7' and state = 'current'"
        alerted = {tuple(row) for row in connection.exec_driver_sql(stops)}
    assert {rule for rule, _ in alerted} == {"regression", "difference"}
    for rule in CONFIG.rule:
        for second in range(MONDAY + 49 * MINUTE, MONDAY + 80 * MINUTE, 230):
            start = second // rule.bin_seconds * rule.bin_seconds
            fired = at(regressed, start - MONDAY, rule=rule.name).gate is None
            assert fired == ((rule.name, start) in alerted), (rule.name, moment_of(start))


def test_too_little_evidence_is_short_by_a_factor(regressed: Store) -> None:
    found = at(regressed, 49 * MINUTE)
    assert found.gate == "evidence"
    assert found.short_by == pytest.approx(10 ** (found.threshold - found.value))
    assert "the evidence is short by a factor of " in render(found)


def test_once_it_is_over_that_it_has_ended_is_far_likelier(regressed: Store) -> None:
    found = at(regressed, 75 * MINUTE)
    assert found.gate == "recovery"
    assert found.ratios[0].log_likelihood > found.ratios[0].log_threshold, "from before its peak the evidence is enough"
    assert found.value < found.threshold
    assert found.doubt > math.log(1000)
    assert f"that an increase has ended is {math.exp(found.doubt):.3g} times likelier" in render(found)


def test_what_fires_although_an_earlier_increase_explains_it_better_says_so(tmp_path: Path) -> None:
    """For five minutes from 0:50 on 23 times as many, and since then three times as many."""
    spike = [second for second in range(50 * MINUTE, 55 * MINUTE) for _ in range(10)]
    store = loaded(tmp_path / "a.duckdb", stream([*spike, *range(50 * MINUTE, 80 * MINUTE)]))
    found = at(store, 70 * MINUTE)
    assert found.gate is None
    assert found.doubt > math.log(1000)
    shown = f"  but         that an increase has ended is {math.exp(found.doubt):.3g} times likelier"
    assert f"{shown} than that it goes on: what came since then is enough alone\n" in render(found)
    assert found.is_doubted
    assert found.has_ended
    sure = at(store, 54 * MINUTE)
    assert not sure.is_doubted
    assert "  but " not in render(sure)
    unsure = render(replace(sure, is_doubted=True, doubt=3.0))
    assert "20.1 times likelier than that it goes on: not enough to call it over\n" in unsure


def test_what_the_last_bin_with_errors_tells_stands_for_an_hour(tmp_path: Path) -> None:
    """From 0:50 to 1:30 an error of the new build each third bin, and none after that."""
    store = history(tmp_path / "a.duckdb", stream(range(50 * MINUTE, 90 * MINUTE, 30), 160 * MINUTE, "9"), CONFIG)
    last, empty = (at(store, 90 * MINUTE - before, "9") for before in (30, 10))
    assert (last.gate, last.bin_candidate_errors, empty.gate, empty.bin_candidate_errors) == (
        None,
        1,
        None,
        0,
    )
    assert (empty.value, empty.onset, empty.candidate_errors) == (
        last.value,
        last.onset,
        last.candidate_errors,
    )
    assert (empty.window_bins, empty.ratios) == (last.window_bins + 2, last.ratios)
    with store.read() as connection:
        sql = "select (epoch(stop_ts) - ?)::bigint from alerts where code = '9' and rule = 'regression'"
        alerted = set(connection.exec_driver_sql(sql, (MONDAY,)).scalars())
    for second in (65 * MINUTE, 80 * MINUTE + 10, 90 * MINUTE + 20, 96 * MINUTE, 2 * HOUR):
        assert (at(store, second, "9").gate is None) == (second in alerted)
    assert at(store, 150 * MINUTE - 40, "9").gate == "silence"
    over = at(store, 150 * MINUTE - 30, "9")
    assert (over.gate, over.value, over.ratios) == ("evidence", None, ())
    assert "there is no evidence: no error of the last hour counts" in render(over)


def test_what_is_known_little_counts_little(regressed: Store) -> None:
    """In the first block with errors the prior alone tells: 15 times the variance of errors that come singly."""
    found = at(regressed, MINUTE)
    assert found.gate == "evidence"
    assert found.weight == pytest.approx(1 / math.sqrt(15.5**2 - 1.25))
    assert f"here an error counts for {found.weight:.4g}" in render(found)


def test_what_comes_within_a_minute_may_be_one_clients_burst(tmp_path: Path) -> None:
    burst = [second for second in range(60 * MINUTE, 60 * MINUTE + 20) for _ in range(100)]
    found = at(loaded(tmp_path / "a.duckdb", stream(burst)), 60 * MINUTE + 10)
    assert found.gate == "brief"
    assert found.value > found.threshold
    assert found.min_bins == EVIDENCE.least_bins == 9
    assert found.spread_bins == pytest.approx(2, abs=0.01), "it lies in two bins"
    assert f"are concentrated in about {found.spread_bins:g} bins, and more than 9 are required" in render(found)


def test_a_bin_that_is_not_complete_awaits_the_later_build(tmp_path: Path) -> None:
    records = [record for record in stream() if record.build == "1.9" or record.second < MONDAY + HOUR]
    store = loaded(tmp_path / "a.duckdb", records)
    found = at(store, HOUR + MINUTE)
    assert (found.gate, found.awaited_build) == ("incomplete", "1.10")
    assert found.judged_until == moment_of(MONDAY + HOUR - 2)
    assert "build 1.10 is awaited, received up to 2026-11-23 00:59:58" in render(found)
    assert found.bin_baseline_errors == 5, "what is there so far is reported"


def test_both_builds_are_awaited_after_the_last_record(regressed: Store) -> None:
    found = at(regressed, 5 * HOUR)
    assert (found.gate, found.awaited_build) == ("incomplete", None)
    assert "both builds are awaited" in render(found)


def test_a_bin_that_touches_a_gap_names_the_silent_build(tmp_path: Path) -> None:
    silent = range(MONDAY + 40 * MINUTE, MONDAY + 50 * MINUTE)
    records = [record for record in stream() if record.build != "1.9" or record.second not in silent]
    found = at(loaded(tmp_path / "a.duckdb", records), 45 * MINUTE)
    assert (found.gate, found.gap_build) == ("gap", "1.9")
    assert (found.gap_from, found.gap_until) == (moment_of(silent.start - 1), moment_of(silent.stop))
    assert "build 1.9 was silent after 2026-11-23 00:39:59 and until 2026-11-23 00:50:00" in render(found)


def test_a_code_that_nobody_sent_near_has_no_record(tmp_path: Path) -> None:
    store = loaded(tmp_path / "a.duckdb", stream([80 * MINUTE], code="9"))
    found = at(store, 30 * MINUTE, "9")
    assert (found.gate, found.value) == ("no record", None)
    assert "neither build sent the code near that time" in render(found)


def test_builds_that_are_compared_at_another_time_say_when(regressed: Store) -> None:
    found = at(regressed, 0)
    assert found.gate == "pair"
    assert found.rules_from == moment_of(MONDAY + 38)
    assert "these builds are compared in bins that end after 2026-11-23 00:00:38" in render(found)


def test_without_two_builds_nothing_is_compared(tmp_path: Path) -> None:
    records = [record for record in stream() if record.build == "1.9"]
    store = loaded(tmp_path / "a.duckdb", records)
    assert at(store, HOUR).gate == "no comparison"
    assert "no two builds were compared" in render(at(store, HOUR))


def test_means_are_reported_against_their_threshold(regressed: Store) -> None:
    high, low = (at(regressed, minutes * MINUTE, rule="difference") for minutes in (55, 30))
    assert (high.gate, high.value, high.threshold, high.window_bins) == (None, 50, 6, 2)
    assert [(window.window_bins, window.mean) for window in high.windows] == [(2, 50), (4, 50)]
    assert "the mean, 50, is above the threshold, 6" in render(high)
    assert (low.gate, low.value) == ("threshold", 0)
    assert "no mean is above the threshold: the highest is 0" in render(low)


def test_every_rule_and_comparison_is_explained(regressed: Store) -> None:
    pairs = (Comparison(), Comparison(baseline="1.10", candidate="1.9"))
    config = CONFIG.model_copy(update={"comparison": pairs})
    found = explain(regressed, config, "7", moment_of(MONDAY + 55 * MINUTE))
    assert {(one.rule, one.candidate, one.gate) for one in found} == {
        ("regression", "1.10", None),
        ("regression", "1.9", "evidence"),
        ("difference", "1.10", None),
        ("difference", "1.9", "threshold"),
    }


def test_the_exposure_is_that_of_the_configuration(regressed: Store) -> None:
    users = (Exposure(build="1.9", users=1), Exposure(build="1.10", users=99))
    found = at(regressed, 55 * MINUTE, config=CONFIG.model_copy(update={"exposure": users}))
    assert (found.gate, found.exposure, found.candidate_share) == ("evidence", "given", 0.99)


def test_the_store_is_as_it_was(regressed: Store) -> None:
    before = regressed.path.read_bytes()
    explain(regressed, Config(), "7", moment_of(MONDAY + HOUR))
    assert regressed.path.read_bytes() == before


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda store: at(store, 0, code="8"), "--code 8: no build in the store has sent it; its codes are: 7"),
        (lambda store: at(store, 0, rule="none"), "there are: regression, difference"),
    ],
)
def test_what_is_not_there_is_a_usage_error(regressed: Store, call: Callable[[Store], object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call(regressed)


def test_json_holds_all_of_it(regressed: Store) -> None:
    shown = json.loads(as_json(at(regressed, 55 * MINUTE)))
    assert shown["gate"] is None
    assert shown["start_ts"] == "2026-11-23 00:55:00"
    assert len(shown["ratios"]) == 7
    assert shown["ratios"][0].keys() == {"rate_ratio", "min_ratio", "log_likelihood", "log_threshold"}
    assert shown["units"].keys() - shown["ratios"][0].keys() <= shown.keys()
    assert (shown["units"]["value"], shown["units"]["log_likelihood"]) == ("log10", "natural logarithm")
    difference = json.loads(as_json(at(regressed, 55 * MINUTE, rule="difference")))
    assert difference["units"].keys() - difference["windows"][0].keys() <= difference.keys()


def test_evidence_is_reported_in_powers_of_ten_and_figures_say_what_they_are_of(regressed: Store) -> None:
    """The ratios in the unit of the evidence, and what an alert of the bin says beside it."""
    found = at(regressed, 55 * MINUTE)
    best = found.ratios[0]
    text = render(found)
    assert f"the evidence, 10^{found.value:.4g}, has reached the required 10^6.937" in text
    shown = f"x{best.rate_ratio:g}: 10^{best.log_likelihood / math.log(10):.4g} times likelier than no increase"
    assert f"{shown}, required 10^6.937\n" in text
    assert f"since       {found.onset}, the onset as estimated in this bin, " in text
    assert "(an incident keeps the onset of its first alert)" in text
    with regressed.read() as connection:
        sql = "select dispersion, start_ts from alerts where rule = 'regression' and stop_ts = ?"
        alert = connection.exec_driver_sql(sql, (found.start_ts,)).one()
    assert (found.mean_dispersion, found.onset) == tuple(alert)
    assert f"; {found.mean_dispersion:.4g} since then, as in an alert" in text


def test_evidence_is_against_what_is_no_cause_for_alarm(regressed: Store) -> None:
    rule = EVIDENCE.model_copy(update={"min_ratio": 2.0})
    found = at(regressed, 55 * MINUTE, config=Config(rule=(rule,)))
    assert {ratio.min_ratio for ratio in found.ratios} == {2}
    assert " times likelier than x2, " in render(found)
    assert "no increase" not in render(found)


def test_the_command_tells_it_in_words_and_as_json(regressed: Store) -> None:
    folder = regressed.path.parent
    (folder / "config.toml").write_text("[store]\npath = 'a.duckdb'\n")
    arguments = ["explain", "--code", "7", "--at", "2026-11-23T00:55"]
    done = streammetrics(folder, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "code 7  2026-11-23 00:55:00 to 00:55:10 UTC\n  rule        regression (sequential)\n"
    )
    (line,) = streammetrics(folder, *arguments, "--json").stdout.splitlines()
    assert (json.loads(line)["rule"], json.loads(line)["gate"]) == ("regression", None)
    assert streammetrics(folder, "explain", "--code", "7", "--at", "soon").returncode == 2


def test_without_a_time_the_latest_alert_of_the_code_is_explained(regressed: Store, tmp_path: Path) -> None:
    sql = "select max(stop_ts) from alerts where rule = 'regression'"
    with regressed.read() as connection:
        latest = connection.exec_driver_sql(sql).scalar_one()
    found = the(explain(regressed, CONFIG, "7", rule="regression"))
    assert (found.start_ts, found.gate) == (latest, None)
    calm = history(tmp_path / "calm.duckdb", stream(seconds=MINUTE), CONFIG)
    with pytest.raises(UsageError, match="--code 7: it has no alert; name the time to explain with --at"):
        explain(calm, CONFIG, "7")
