"""History judged again: the same incidents, an untouched store, chance alone, and increases that were added."""

import json
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from streammetrics.cli.session import Session
from streammetrics.config import Comparison, Config, Exposure, Rule, SequentialRule, StoreSettings
from streammetrics.detect import passes
from streammetrics.errors import InputOutputError, UsageError
from streammetrics.simulate.backtest import Injection, backtest, history, null, parse, poisson, render
from streammetrics.simulate.backtest.results import Null
from streammetrics.store.connection import Store
from tests import histories
from tests.cli.test_cli import streammetrics
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, clock, moment_of, reporting

MINUTE, HOUR = 60, 3600
END = 3 * HOUR
RULE = SequentialRule(name="regression", detector="sequential")
DIFFERENCE = Rule(name="difference", detector="mean_difference", bin_seconds=60, window_bins=(5, 10), threshold=25)


def stream(seed: int = 1) -> list[Record]:
    """Three hours of two builds: half an error a second of code 7 each, a tenth of 8; from 2:00 to 2:20 more of 9."""
    dice = random.Random(seed)
    rates = {"7": 0.5, "8": 0.1, "9": 0.1}
    return [
        Record(MONDAY + second, build, code)
        for second in range(END)
        for build in ("1.9", "1.10")
        for code, rate in rates.items()
        if dice.random() < rate + 0.6 * (code == "9" and build == "1.10" and 7200 <= second < 8400)
    ]


class Recorded(Session):
    """A session on a store, that keeps what it prints as JSON."""

    def __init__(self, store: Store, config: Config) -> None:
        self.printed: list[str] = []
        settings = StoreSettings(path=store.path.name)
        config = config.model_copy(update={"store": settings, "base": store.path.parent})
        super().__init__(config, reporting(print), self.printed.append, clock, as_json=True)

    def results(self, kind: str) -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in self.printed]
        return [{name: row[name] for name in row if name != "kind"} for row in rows if row["kind"] == kind]


CONFIG = Config(rule=(RULE, DIFFERENCE))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return histories.history(tmp_path_factory.mktemp("backtest") / "a.duckdb", stream(), CONFIG)


def run(store: Store, config: Config = CONFIG, span: tuple[int | None, int | None] = (0, END), **more: Any) -> Recorded:
    session = Recorded(store, config)
    since, until = (None if second is None else moment_of(MONDAY + second) for second in span)
    for found in backtest(session.store, session.config, session.clock, session.progress, since, until, **more):
        session.out(render(found, True))
    return session


def incidents(store: Store) -> list[dict[str, Any]]:
    with store.read() as connection:
        rows = connection.exec_driver_sql("select * from incidents order by start_ts, incident_id").mappings().all()
    return [{name: str(value) if isinstance(value, datetime) else value for name, value in row.items()} for row in rows]


@pytest.mark.slow
def test_the_incidents_are_those_of_a_pass(store: Store) -> None:
    real = incidents(store)
    assert {(row["rule"], row["code"]) for row in real} == {("regression", "9"), ("difference", "9")}
    session = run(store)
    assert session.results("incident") == real
    (summary,) = session.results("summary")
    assert (summary["incidents"], summary["days"]) == (2, pytest.approx(END / 86400, rel=0.01))
    assert summary["incidents_per_day"] == pytest.approx(16, rel=0.01)
    assert run(store, span=(None, None)).results("incident") == real, "the last day is all of it"


@pytest.mark.slow
@pytest.mark.parametrize("span", [(7150, 7600), (7300, 9001), (8000, END), (0, 7500)])
def test_the_alerts_of_a_part_are_those_of_a_pass(store: Store, span: tuple[int, int]) -> None:
    ends = [moment_of(MONDAY + second) for second in span]
    columns = "select columns(* exclude (alert_id, incident_id, run_id, created_at, updated_at, revision)) from alerts"
    with store.read() as connection:
        sql = f"{columns} where end_ts > ? and end_ts <= ? order by all"
        real = connection.exec_driver_sql(sql, tuple(ends)).all()
    assert real
    with history.copied(store, CONFIG, *ends) as (connection, found):
        passes.judge(connection, CONFIG, clock, span=(found.after, found.until))
        assert connection.exec_driver_sql(f"{columns} order by all").all() == real


@pytest.mark.slow
def test_an_incident_that_goes_on_behind_the_span_is_open(store: Store) -> None:
    found = run(store, span=(0, 7800)).results("incident")
    assert {(row["rule"], row["state"]) for row in found} == {("regression", "open"), ("difference", "open")}


@pytest.mark.slow
def test_the_store_is_as_it_was(store: Store) -> None:
    before, folder = store.path.read_bytes(), set(store.path.parent.iterdir())
    run(store, repetitions=1, injections=[Injection("7", 3, moment_of(MONDAY + HOUR))])
    assert store.path.read_bytes() == before
    assert set(store.path.parent.iterdir()) == folder


@pytest.mark.slow
def test_the_scratch_store_is_removed_whatever_happens(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        assert list(tmp_path.iterdir())
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(passes, "judge", fail)
    with pytest.raises(RuntimeError, match="on fire"):
        run(store)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_other_settings_are_judged_by(store: Store) -> None:
    rule = DIFFERENCE.model_copy(update={"name": "other", "threshold": 1000})
    assert run(store, Config(rule=(rule,))).results("incident") == []


@pytest.mark.slow
def test_a_history_that_is_drawn_anew_has_all_errors_however_many(tmp_path: Path) -> None:
    """More than a row group for each build, and no record that is left as it was."""
    config = Config(rule=(DIFFERENCE,))
    # Established long before, so that every record is drawn again.
    before = [Record(MONDAY - 2 * 86400 + code, build, f"E{code}") for code in range(100) for build in ("1.9", "1.10")]
    full = histories.history(tmp_path / "full.duckdb", before, config)
    with full.write() as connection, connection.begin():
        connection.exec_driver_sql(
            "insert into counters select make_timestamp((?::bigint + second) * 1000000), build, code, 1, 1\n"
            "from range(7200) as seconds (second), codes order by second",
            (MONDAY,),
        )
        connection.exec_driver_sql("update builds set last_second = ?", (moment_of(MONDAY + 7199),))
    with history.copied(full, config, *(moment_of(MONDAY + second) for second in (0, 7200))) as (connection, span):
        for _ in null.measure(connection, config, span, 1, 1, clock, lambda done, total: None):
            pass
        drawn = connection.exec_driver_sql("select build, sum(errors) from counters group by all order by all").all()
    assert [build for build, _ in drawn] == ["1.10", "1.9"]
    assert sum(errors for _, errors in drawn) == 2 * 100 * 7200


@pytest.mark.slow
def test_a_null_run_is_decided_by_its_seed(store: Store) -> None:
    noisy = DIFFERENCE.model_copy(update={"threshold": 4, "window_bins": (2,)})
    config = Config(rule=(RULE, noisy))
    first, again, other = (run(store, config, repetitions=2, seed=seed).results("null") for seed in (1, 1, 5))
    assert first == again
    assert [row["incidents"] for row in first] != [row["incidents"] for row in other]
    (regression, difference) = first
    assert (regression["rule"], regression["repetitions"], regression["codes"]) == ("regression", 2, 3)
    assert regression["code_days"] == pytest.approx(2 * 3 * END / 86400, rel=0.01)
    assert (regression["incidents"], regression["low"], regression["promised"]) == (0, 0, 1)
    assert regression["agrees"] is None, "code 9, which the new build sent more of, is even; but the days are few"
    assert regression["enough_repetitions"] == pytest.approx(2 * 3689 / regression["code_days"], rel=0.001)
    assert (difference["promised"], difference["agrees"]) == (None, None)
    assert difference["low"] < difference["per_1000_code_days"] < difference["high"]


@pytest.mark.slow
def test_builds_are_drawn_by_their_exposure(store: Store) -> None:
    """One error in a hundred is the candidate's: a difference of counts never says that it has more."""
    shares = (Exposure(build="1.9", users=99), Exposure(build="1.10", users=1))
    lowest = DIFFERENCE.model_copy(update={"threshold": 0})
    (null,) = run(store, Config(rule=(lowest,), exposure=shares), repetitions=1).results("null")
    assert null["incidents"] == 0
    (null,) = run(store, Config(rule=(lowest,)), repetitions=1).results("null")
    assert null["incidents"] > 0


@pytest.mark.slow
def test_a_rollout_is_drawn_pair_by_pair(tmp_path: Path) -> None:
    """A third build comes at 1:30, and is then compared with the second; the shares are estimated from the stream."""
    dice = random.Random(2)
    newest = [Record(MONDAY + second, "1.11", "7") for second in range(5400, END) if dice.random() < 0.5]
    store = histories.history(tmp_path / "a.duckdb", stream() + newest, CONFIG)
    config = Config(comparison=(Comparison(exposure="estimated"),), rule=(RULE,))
    session = run(store, config, repetitions=1, injections=[Injection("7", 4, moment_of(MONDAY + HOUR))])
    assert [row["candidate"] for row in session.results("injection")] == ["1.10", "1.11"]
    (null,) = session.results("null")
    # Of code 7, 8 and 9: three hours of the first pair, and half of that of the second.
    assert null["code_days"] == pytest.approx(3 * (3 + 1.5) / 24, rel=0.02)
    assert null["incidents"] == 0, "shares are estimated without what was injected"


@pytest.mark.slow
def test_every_comparison_is_judged_by_itself(store: Store) -> None:
    pairs = (Comparison(), Comparison(baseline="1.10", candidate="1.9"))
    found = run(store, Config(comparison=pairs, rule=(RULE,)), repetitions=1).results("null")
    assert [(row["baseline"], row["incidents"]) for row in found] == [("previous", 0), ("1.10", 0)]
    assert [row["code_days"] for row in found] == [pytest.approx(3 / 8, rel=0.01)] * 2


@pytest.mark.slow
def test_an_injected_increase_is_found(store: Store) -> None:
    at = moment_of(MONDAY + HOUR)
    wanted = [Injection("7", 3, at), Injection("8", 1.0001, at)]
    session = run(store, Config(rule=(RULE,)), injections=wanted)
    strong, weak = session.results("injection")
    assert (strong["code"], strong["candidate"], strong["was_open"]) == ("7", "1.10", False)
    assert strong["errors_added"] == pytest.approx(2 * 0.5 * 2 * HOUR, rel=0.1)
    assert 20 <= strong["found_after_seconds"] <= 600
    (incident,) = (row for row in session.results("incident") if row["code"] == "7")
    assert abs(datetime.fromisoformat(incident["start_ts"]) - at).total_seconds() <= 300
    assert (weak["errors_added"], weak["found_after_seconds"]) == (0, None)
    assert session.printed == run(store, Config(rule=(RULE,)), injections=wanted).printed


@pytest.mark.slow
def test_a_code_that_the_candidate_never_sent_is_injected_at_the_rate_to_be_expected(tmp_path: Path) -> None:
    records = [record for record in stream() if (record.build, record.code) != ("1.10", "8")]
    store = histories.history(tmp_path / "a.duckdb", records, CONFIG)
    (found,) = run(store, Config(rule=(RULE,)), injections=[Injection("8", 4, moment_of(MONDAY + HOUR))]).results(
        "injection"
    )
    assert found["is_expected_rate"] is True
    assert found["errors_added"] == pytest.approx(4 * 0.1 * 2 * HOUR, rel=0.15)


@pytest.mark.slow
def test_an_incident_that_was_open_before_is_reported(store: Store) -> None:
    at = moment_of(MONDAY + 8000)
    (found,) = run(store, Config(rule=(RULE,)), injections=[Injection("9", 2, at)]).results("injection")
    assert found["was_open"] is True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda store: run(store, span=(100, 100)), "is not before --until 2026-11-23 00:01:40"),
        (lambda store: run(store, span=(-9000, -100)), "no records lie between --since 2026-11-22 21:30:00 and"),
        (lambda store: parse("code=7,ratio=2"), "is not of the form code=C,ratio=R,at=TIME"),
        (lambda store: parse("code=7,ratio=much,at=2026-11-23"), "is not of the form"),
        (lambda store: parse("code=7,ratio=2,at=soon"), "is not of the form"),
        (lambda store: parse("code=7,ratio=0.5,at=2026-11-23"), "the ratio must be above 1"),
        (
            lambda store: run(store, injections=[Injection("10", 2, moment_of(MONDAY + HOUR))]),
            "--inject code=10: no two builds that are compared send it after 2026-11-23 01:00:00",
        ),
        (
            lambda store: run(store, injections=[Injection("7", 2, moment_of(MONDAY + END))]),
            "does not lie in the span, 2026-11-23 00:00:00 to 2026-11-23 03:00:00",
        ),
    ],
)
def test_what_does_not_fit_is_a_usage_error(store: Store, call: Callable[[Store], object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call(store)


@pytest.mark.slow
def test_a_store_without_records_is_reported(tmp_path: Path) -> None:
    store = histories.history(tmp_path / "a.duckdb", [], CONFIG)
    with pytest.raises(UsageError, match="the store holds no records yet"):
        run(store)
    with pytest.raises(InputOutputError, match="there is no store yet"):
        run(Store(tmp_path / "b.duckdb"))


def test_an_injection_is_read_from_its_text() -> None:
    assert parse("code=E,1=2,ratio=2.5,at=2026-11-23T06:00+01:00") == Injection("E,1=2", 2.5, datetime(2026, 11, 23, 5))


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [(0, 0, 3.688879), (1, 0.025318, 5.571643), (10, 4.795389, 18.390356), (100, 81.363991, 121.626794)],
)
def test_the_interval_of_a_count_is_garwoods(events: int, low: float, high: float) -> None:
    """Quantiles of chi squared over 2: those of 2n and 2n + 2 degrees of freedom."""
    found = poisson.interval(events)
    assert found[0] == pytest.approx(low, abs=1e-6)
    assert found[1] == pytest.approx(high, abs=1e-6)


def test_the_interval_of_a_large_count_is_that_of_a_normal_variable() -> None:
    low, high = poisson.interval(1_000_000)
    assert low == pytest.approx(1_000_000 - 1960, abs=5)
    assert high == pytest.approx(1_000_000 + 1960, abs=5)


@pytest.mark.parametrize(
    ("incidents", "code_days", "agrees", "verdict"),
    [
        (0, 3689, True, "at most 1 promised: agrees with the setting"),
        (
            0, 3688, None, "at most 1 promised: too few code-days to decide: "
            "--null 11, or as many times the days, would be enough without a false alarm",
        ),
        (2, 300, None, "--null 123, or as many times the days, would be enough without a false alarm"),
        (4, 4000, None, "at most 1 promised: the interval contains that, so nothing contradicts the setting"),
        (3, 100, False, "at most 1 promised: does not agree with the setting"),
    ],
)  # fmt: skip
def test_what_a_null_run_can_tell_is_reported_and_no_more(
    incidents: int, code_days: float, agrees: bool | None, verdict: str
) -> None:
    """95 % of 0 reach to 3.689, of 2 from 0.242 to 7.22 and of 3 from 0.619 on."""
    low, high = (1000 * bound / code_days for bound in poisson.interval(incidents))
    rate = 1000 * incidents / code_days
    found = Null("r", "1.9", "1.10", "*", 10, 1, 40, code_days, incidents, rate, low, high, 1.0)
    assert found.agrees is agrees
    assert found.words().endswith(verdict)


@pytest.mark.slow
def test_the_command_tells_it_in_words_and_as_json(store: Store) -> None:
    folder = store.path.parent
    (folder / "config.toml").write_text("[store]\npath = 'a.duckdb'\n")
    arguments = ["backtest", "--since", "2026-11-23", "--until", "2026-11-23T03:00", "--null", "1"]
    arguments += ["--inject", "code=7,ratio=3,at=2026-11-23T01:00"]
    done = streammetrics(folder, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    *found, summary, injection, null = done.stdout.splitlines()
    assert {line.split()[1] for line in found} == {"7", "9"}
    assert summary.startswith("2026-11-23 00:00:00 to 2026-11-23 03:00:00 UTC: 0.125 d judged, 2 incidents, 16.1 a day")
    assert injection.startswith("injected code 7 x3 from 2026-11-23 01:00:00 UTC into 1.10, ")
    assert "found after " in injection
    assert null.endswith("or as many times the days, would be enough without a false alarm")
    rows = [json.loads(line) for line in streammetrics(folder, *arguments, "--json").stdout.splitlines()]
    assert [row["kind"] for row in rows] == ["incident", "incident", "summary", "injection", "null"]
    columns = streammetrics(folder, "query", "from incidents limit 0", "--format", "csv").stdout.strip().split(",")
    assert [*rows[0]] == ["kind", *columns]
    assert streammetrics(folder, "backtest", "--inject", "7").returncode == 2
