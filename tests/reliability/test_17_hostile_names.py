"""Builds, codes and columns may have any name: no SQL, terminal or picture obeys one, and all come out exactly."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Comparison, Config, OutputSettings, Rule, StoreSettings
from streammetrics.detect import incidents, passes
from streammetrics.detect.new_codes import NewCode, NewCodes
from streammetrics.query import formats, statement
from streammetrics.query.export import export
from streammetrics.report import explain, heatmap, page, status, wording
from tests.ingest.feeding import Shop, shop_in
from tests.reliability.conftest import count
from tests.reliability.names import hostile_names
from tests.streams import reporting

pytestmark = pytest.mark.reliability

NAMES = hostile_names(200)
OLD, NEW = "'; drop table events; --\x1b[31m", "<script>alert('$x^2$')</script>\"; --"
START = datetime(2026, 11, 23, 10)
RULE = Rule(name="$diff\x1b[31m", detector="mean_difference", bin_seconds=10, window_bins=(1,), threshold=5)
NOT_SHOWN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2028]")
"""What a terminal would obey, or what hides text. Ends of lines are ours."""


def write(path: Path, header: tuple[str, str, str], rows: list[tuple[str, str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([header, *rows])


def records() -> list[tuple[str, str, str]]:
    """Each name is a build once, and a code whose errors triple in the middle of ten minutes."""
    rows = [(str(START), name, "7") for name in NAMES]
    for n, name in enumerate(NAMES):
        for second in range(0, 600, 60):
            ts = str(START + timedelta(seconds=second, microseconds=n))
            rows += [(ts, build, name) for build in (OLD, NEW, *([NEW] * (9 if second >= 300 else 0)))]
    return rows


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A store in which all names have been read and judged; what is printed is kept in output.txt."""
    folder = tmp_path_factory.mktemp("hostile")
    write(folder / "in.csv", ("ts", "build", "code"), records())
    config = Config(
        rule=(RULE,), comparison=(Comparison(baseline=OLD, candidate=NEW),), base=folder,
        store=StoreSettings(path="s.duckdb"), output=OutputSettings(dir="out"),
    )  # fmt: skip
    messages: list[str] = []
    session = Session(config, reporting(messages.append), messages.append, lambda: START + timedelta(hours=1))
    assert pipeline.run(session, [folder / "in.csv"], is_final=True, exit_code=False) == 0
    (folder / "output.txt").write_text("\n".join(messages))
    return session


def test_all_names_are_stored_exactly_and_nothing_was_executed(
    session: Session, record_property: Callable[[str, object], None]
) -> None:
    with session.store.read() as connection:
        codes = set(connection.exec_driver_sql("select distinct code from events").scalars())
        builds = set(connection.exec_driver_sql("select distinct build from counters").scalars())
        alerted = set(connection.exec_driver_sql("select distinct code from alerts").scalars())
        assert connection.exec_driver_sql("select count(*) from events").scalar_one() == len(records())
    assert codes == {*NAMES, "7"}
    assert builds == {*NAMES, OLD, NEW}
    assert alerted == set(NAMES)
    assert list(session.config.base.rglob("pwned*")) == [] == list(Path().glob("pwned*"))
    record_property("seen", f"{len(NAMES)} names as build and code: all stored, alerted, drawn and exported exactly")


def test_what_is_reported_obeys_no_terminal(session: Session) -> None:
    reported = [
        (session.config.base / "output.txt").read_text(),
        status.render(status.collect(session.store, session.config, START)),
    ]
    with session.store.read() as connection:
        found = incidents.alerts_of(connection, tuple(range(1, 100)), every=True)
    reported += map(wording.alert_line, found[:500])
    table = StringIO()
    formats.write(statement.run(session.store, "select distinct code, build from events"), "table", table)
    reported.append(table.getvalue())
    for name in NAMES[:: count(100, 1)]:
        at = START + timedelta(seconds=485)
        reported += [explain.render(one) for one in explain.explain(session.store, session.config, name, at)]
    new = NewCodes(OLD, NEW, len(NAMES), tuple(NewCode(name, START, 0, 2, 2) for name in NAMES))
    (line,) = wording.new_code_lines([new])
    assert line.splitlines() == [line]
    assert [found for found in map(NOT_SHOWN.findall, [*reported, line]) if found] == []


def test_the_wide_view_has_a_column_for_each_build_and_code(session: Session) -> None:
    with session.store.read() as connection:
        columns = [row[0] for row in connection.exec_driver_sql("describe counters_wide")]
        wide = connection.exec_driver_sql("select * from counters_wide order by second limit 1").one()
    assert len(columns) == 1 + len({(build, code) for _, build, code in records()})
    assert {column.casefold() for column in columns} >= {f"{NEW}_{name}".casefold() for name in NAMES}
    assert sum(wide[1:]) == 3 * len(NAMES)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_names_come_out_of_exports_exactly(session: Session, suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"alerts{suffix}"
    export(session.store, "alerts", target)
    if suffix == ".jsonl":
        found = {json.loads(line)["code"] for line in target.read_text().split("\n") if line}
    else:
        import duckdb

        found = {code for (code,) in duckdb.sql(f"select distinct code from '{target}'").fetchall()}
    assert found == set(NAMES)
    export(session.store, "counters_wide", tmp_path / f"wide{suffix}")


@pytest.mark.parametrize("suffix", [".svg", ".png"][: count(1, 2)])
def test_pictures_show_names_and_run_nothing(session: Session, suffix: str, tmp_path: Path) -> None:
    (path,) = heatmap.draw(session.store, session.config, tmp_path / f"h{suffix}", None, None, None)
    assert path.stat().st_size > 10_000
    if suffix == ".svg":
        text = path.read_text()
        assert "<script" not in text
        assert "onerror=alert(1)>" not in text
        assert "&lt;script&gt;" in text


def test_the_report_page_shows_names_and_runs_nothing(session: Session, tmp_path: Path) -> None:
    text = page.write(session.store, session.config, tmp_path, session.clock()).read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "onerror=alert(1)>" not in text
    assert "&lt;script&gt;" in text


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_in(tmp_path) as found:
        yield found


def test_columns_of_any_name_are_found(shop: Shop) -> None:
    """Blanks around a name do not count, a setting takes names of up to 200 characters, and a header is one line."""
    names = [name for name in NAMES if name.strip() == name and len(name) < 200 and not re.search(r"[\r\n]", name)]
    names = names[:: count(8, 1)]
    for place, name in enumerate(names):
        columns = {"ts": f"{name}t", "build": f"{name}b", "code": f"{name}c"}
        write(
            shop.folder / f"{place}.csv", (columns["ts"], columns["build"], columns["code"]), [(str(START), name, name)]
        )
        shop.clear()
        (outcome,) = shop.feed(shop.folder / f"{place}.csv", columns=columns)
        assert (outcome.state, outcome.records, outcome.message) == ("loaded", 1, "")
        assert shop.events() == [(str(START), name, name)]


def test_a_judged_pair_of_hostile_builds_is_found_again(session: Session) -> None:
    """A second pass over the same store changes nothing: keys of such names are keys."""
    with session.store.write() as connection:
        before = connection.exec_driver_sql("select count(*), sum(revision) from alerts").one()
        connection.rollback()
        done = passes.judge(connection, session.config, session.clock, is_final=True)
        assert connection.exec_driver_sql("select count(*), sum(revision) from alerts").one() == before
    assert (done.amendment.new, done.amendment.revised, done.amendment.retracted) == (0, 0, 0)
