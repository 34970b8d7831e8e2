"""What a person has to act on is reported once when it begins, beside incidents that open, and by `status`."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Comparison, Config, Exposure, StoreSettings
from streammetrics.detect import passes
from streammetrics.report import status, warnings
from streammetrics.store.statements import run
from tests.histories import NOW
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, clear, empty_store, load, moment_of, reporting

DOUBTFUL = (
    "1.9 -> 1.10: equal exposure is assumed, but one build sends more than four fifths of all records: "
    "set [[exposure]], or exposure in [[comparison]]"
)
NO_NEWER = (
    "[[comparison]] has baseline '1.10' and candidate 'latest', and all other builds of its family are older: "
    "nothing is compared with '1.10' until a newer one sends records"
)
REVERSED = (
    "[[comparison]] has baseline '1.10' and candidate '1.9', which is the older one: exchange them unless that is meant"
)
UNUSED = (
    "1.9 -> 1.10: [[exposure]] gives 0 users for '{}', which sends errors: give its users, else increases are missed "
    "or reported falsely"
)
UNMATCHED = "[[comparison]] compares builds '3.*_?!%', but no build with records matches that"
SPACED = (
    "build {}{} has blanks at an end, and is another build than '{}': write it without them, or in a CSV write the "
    "same blanks in the header (`ts, build, code`); then unload the batches that have it"
)
MISSING = "[[comparison]] names build '1.11', of which no record has come yet; did you mean '1.10'?"


def sent(old: int, new: int, seconds: int = 1200) -> list[Record]:
    """Each second so many records of two builds."""
    builds = ["1.9"] * old + ["1.10"] * new
    return [Record(MONDAY + second, build, "7") for second in range(seconds) for build in builds]


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def configured(store: Connection, records: list[Record], config: Config) -> Connection:
    """The store with these records alone, and these settings; nothing of it is judged."""
    clear(store)
    load(store, records)
    with store.begin():
        passes.plan(store, config)
    return store


def users(**numbers: float) -> tuple[Exposure, ...]:
    return tuple(Exposure(build=build.replace("_", "."), users=number) for build, number in numbers.items())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("counts", "config", "expected"),
    [
        ((1, 1), Config(), []),
        ((4, 1), Config(), []),
        ((5, 1), Config(), [DOUBTFUL]),
        ((1, 5), Config(), [DOUBTFUL]),
        ((5, 1), Config(comparison=(Comparison(exposure="equal"),)), []),
        ((5, 1), Config(comparison=(Comparison(exposure="estimated"),)), []),
        ((5, 1), Config(exposure=users(**{"1_9": 5, "1_10": 1})), []),
        (
            (1, 1),
            Config(exposure=users(**{"1_10": 1})),
            ["1.9 -> 1.10: exposure is estimated, because [[exposure]] does not give the users of '1.9'"],
        ),
        (
            (1, 1),
            Config(exposure=(*users(**{"1_9": 1}), Exposure(build="1.10", users=1, since=datetime(2027, 1, 1)))),
            ["1.9 -> 1.10: exposure is estimated, because [[exposure]] does not give the users of '1.10'"],
        ),
        (
            (1, 1),
            Config(exposure=users(**{"1_9": 0, "1_10": 0})),
            ["1.9 -> 1.10: exposure is estimated, because [[exposure]] gives 0 users for both builds"],
        ),
        ((1, 1), Config(exposure=users(**{"1_9": 0, "1_10": 9})), [UNUSED.format("1.9")]),
        ((1, 1), Config(exposure=users(**{"1_9": 9, "1_10": 0})), [UNUSED.format("1.10")]),
        ((1, 1), Config(comparison=(Comparison(candidate="1.11"),)), [MISSING]),
        (
            (1, 1),
            Config(comparison=(Comparison(), Comparison(baseline="elsewhere"))),
            ["[[comparison]] names build 'elsewhere', of which no record has come yet"],
        ),
        (
            (1, 1),
            Config(exposure=users(**{"1_9": 1, "1_10": 1, "1_8": 3})),
            ["[[exposure]] names build '1.8', of which no record has come yet; did you mean '1.9'?"],
        ),
        ((1, 1), Config(comparison=(Comparison(baseline="1.10", candidate="1.9"),)), [REVERSED]),
        ((1, 1), Config(comparison=(Comparison(baseline="1.9", candidate="1.10"),)), []),
        ((1, 1), Config(comparison=(Comparison(baseline="1.10"),)), [NO_NEWER]),
        ((1, 1), Config(comparison=(Comparison(baseline="1.9"),)), []),
        ((1, 1), Config(comparison=(Comparison(), Comparison(builds="3.*_?!%"))), [UNMATCHED]),
        ((1, 1), Config(comparison=(Comparison(builds="1.*"),)), []),
        ((1, 1), Config(comparison=(Comparison(baseline="earlier"),)), []),
        ((1, 1), Config(comparison=(Comparison(baseline="earlier", builds="3.*_?!%"),)), [UNMATCHED]),
    ],
)
def test_what_there_is_to_act_on(
    store: Connection, counts: tuple[int, int], config: Config, expected: list[str]
) -> None:
    with configured(store, sent(*counts), config).begin():
        assert warnings.current(store) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("builds", "expected"),
    [
        (("1.9", "a b"), []),
        ((" 1.9", "1.9"), [SPACED.format("' 1.9'", "", "1.9")]),
        (("1.9\t", "2.0 ", " 2.1"), [SPACED.format("' 2.1'", " (and 2 more)", "2.1")]),
    ],
)
def test_blanks_at_the_ends_of_builds_are_reported(
    store: Connection, builds: tuple[str, ...], expected: list[str]
) -> None:
    records = [Record(MONDAY + second, build, "7") for second in range(60) for build in builds]
    with configured(store, records, Config()).begin():
        assert warnings.current(store, is_due=False) == expected
    later = [Record(MONDAY + 86_500 + second, "1.9", "7") for second in range(60)]
    with configured(store, records + later, Config()).begin():
        assert warnings.current(store, is_due=False) == [], "those of former days"


@pytest.mark.slow
@pytest.mark.parametrize(("errors", "expected"), [(19, []), (20, [UNUSED.format("1.9")])])
def test_a_few_late_errors_of_a_build_without_users_are_no_mistake(
    store: Connection, errors: int, expected: list[str]
) -> None:
    late = [Record(MONDAY + 600 + 30 * second, "1.9", "7") for second in range(errors)]
    config = Config(exposure=users(**{"1_9": 0, "1_10": 9}), comparison=(Comparison(baseline="1.9"),))
    with configured(store, sorted([*sent(0, 1), *late]), config).begin():
        assert warnings.current(store) == expected


@pytest.mark.slow
def test_it_is_reported_once_and_beside_incidents_and_again_after_a_day_without_it(store: Connection) -> None:
    misspelt, right = Config(comparison=(Comparison(candidate="1.11"),)), Config()
    configured(store, sent(1, 1), misspelt)

    def messages(minutes: int, config: Config, *, every: bool = False) -> list[str]:
        with store.begin():
            passes.plan(store, config)
            return warnings.unreported(store, NOW + timedelta(minutes=minutes), None, every=every)

    assert messages(0, misspelt) == [MISSING]
    assert messages(1, misspelt) == []
    assert messages(2, misspelt, every=True) == [MISSING]
    assert messages(3, right, every=True) == []
    assert messages(5, misspelt) == []
    assert messages(5 + 1439, misspelt) == []
    assert messages(5 + 2 * 1439, misspelt) == []
    assert messages(5 + 4 * 1440, misspelt) == [MISSING]


@pytest.mark.slow
@pytest.mark.parametrize(("after", "until", "expected"), [(0, 599, []), (599, 600, [DOUBTFUL]), (600, 1199, [])])
def test_exposure_is_looked_at_every_ten_minutes(
    store: Connection, after: int, until: int, expected: list[str]
) -> None:
    with configured(store, sent(5, 1), Config()).begin():
        assert warnings.unreported(store, NOW, (MONDAY + after, MONDAY + until), every=False) == expected


@pytest.mark.slow
def test_of_names_that_are_as_like_the_hint_is_always_the_same_one() -> None:
    with empty_store() as connection, connection.begin():
        for order in itertools.permutations(("1.1", "1.2", "1.3")):
            connection.exec_driver_sql("delete from builds")
            connection.exec_driver_sql("delete from comparisons")
            for build in order:
                sent = {"build": build, "at": NOW}
                sql = "insert into builds (build, version_rank, first_second, last_second) values ($build, 1, $at, $at)"
                connection.exec_driver_sql(sql, sent)
            connection.exec_driver_sql("insert into comparisons values ('1.9', 'latest', '', null, null, 0, 1)")
            assert [row.hint for row in run(connection, "reports/unsent_builds")] == ["; did you mean '1.3'?"]


@pytest.mark.slow
def test_a_run_says_it_on_stderr_and_status_always(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary in which every code looks healthy, and then one that does not."""
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
    config = Config(store=StoreSettings(path="s.duckdb"), base=tmp_path)
    messages: list[str] = []
    printed: list[str] = []
    session = Session(config, reporting(messages.append), printed.append, lambda: NOW)

    def run(name: str, records: list[Record]) -> list[str]:
        rows = "".join(f"{moment_of(record.second)},{record.build},{record.code}\n" for record in records)
        (tmp_path / name).write_text(f"ts,build,code\n{rows}")
        messages.clear()
        printed.clear()
        assert pipeline.run(session, [tmp_path / name], is_final=False, exit_code=False) == 0
        return list(messages)

    quiet = sent(6, 1, 3600)
    assert run("a.csv", quiet) == [DOUBTFUL]
    assert printed == []
    assert run("b.csv", [Record(r.second + 3600, r.build, r.code) for r in sent(6, 1, 60)]) == []
    surge = [Record(MONDAY + 3660 + second, "1.10", "9") for second in range(180)]
    assert run("c.csv", [*(Record(r.second + 3660, r.build, r.code) for r in sent(6, 1, 180)), *surge]) == [DOUBTFUL]
    assert [line.split()[0] for line in printed] == ["OPENED"]
    assert f"to do      {DOUBTFUL}" in status.render(status.collect(session.store, config, NOW)).splitlines()
