"""Questions in SQL: what is answered, how it is written, what is refused, and what a span of time cuts."""

import io
import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from streammetrics.errors import InputOutputError, UsageError
from streammetrics.query import formats, statement
from streammetrics.store import comments, views
from streammetrics.store.connection import Store
from tests.histories import HOSTILE, history, regression
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY

MIDNIGHT = datetime(2026, 11, 23)
SINCE = MIDNIGHT + timedelta(minutes=13, seconds=20)
UNTIL = MIDNIGHT + timedelta(minutes=17, seconds=5)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return history(tmp_path_factory.mktemp("query") / "store.duckdb", regression())


def rows(
    store: Store, sql: str, since: datetime | None = None, until: datetime | None = None
) -> list[tuple[object, ...]]:
    return statement.run(store, sql, since, until).rows


def listed(store: Store) -> list[str]:
    with store.read() as connection:
        return comments.listed(connection)


def written(store: Store, sql: str, style: formats.Style) -> str:
    stream = io.StringIO(newline="")
    formats.write(statement.run(store, sql), style, stream)
    return stream.getvalue()


@pytest.mark.slow
def test_answer_has_columns_types_and_rows_in_the_order_of_the_query(store: Store) -> None:
    found = statement.run(
        store, "select code, count(*)::int as n, max(ts) as last from events group by code order by n; -- x"
    )
    assert found.columns == ("code", "n", "last")
    assert found.types == ("VARCHAR", "INTEGER", "TIMESTAMP")
    assert found.rows == [
        (HOSTILE, 1, "2026-11-23 00:19:59"),
        ("-17", 600, "2026-11-23 00:19:59"),
        ("7", 2400, "2026-11-23 00:19:59"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "with a as (select 1 as n) select n from a",
        "from (values (1)) as v (n)",
        "values (1)",
        "(select 1)",
        "/* select 2; */ select 1 -- ;",
        "select count(*) from (describe alerts) where column_name = 'alert_id'",
        "select count(*) from (show tables) where name = 'alerts'",
        "select count(*) from (summarize builds) where column_name = 'build'",
    ],
)
def test_whatever_reads_is_answered(store: Store, sql: str) -> None:
    assert rows(store, sql) == [(1,)]


@pytest.mark.slow
def test_a_plan_is_shown_line_by_line(store: Store) -> None:
    lines = written(store, "explain select 1", "table").splitlines()
    assert lines[0].split() == ["explain_key", "explain_value"]
    assert any("PROJECTION" in line for line in lines[3:])


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "explain analyze from alerts",
        "explain analyse(select 1)",
        "explain (select 1)",
        "/* x */ explain -- y\n (format json) (select 1)",
        "explain (analyze, format json) with a as (values ('é')) from a",
        "explain analyze show tables",
    ],
)
def test_whatever_reads_is_explained(store: Store, sql: str) -> None:
    ((key, plan),) = rows(store, sql)
    assert key in ("physical_plan", "analyzed_plan")
    assert plan


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("copy alerts to '{}'", "COPY"),
        ("attach '{}'", "ATTACH"),
        ("install httpfs", "LOAD"),
        ("load httpfs", "LOAD"),
        ("set threads = 1", "SET"),
        ("set enable_external_access = true", "SET"),
        ("pragma show_tables", "PRAGMA"),
        ("; pragma show_tables", "PRAGMA"),
        ("/* x */ PRAGMA threads = 1", "SET"),
        ("call pragma_version()", "CALL"),
        ("create table x as select 1", "CREATE"),
        ("create temp table x as select 1", "CREATE"),
        ("insert into rules select * from rules", "INSERT"),
        ("update alerts set state = 'retracted'", "UPDATE"),
        ("delete from alerts", "DELETE"),
        ("drop table alerts", "DROP"),
        ("export database '{}'", "EXPORT"),
        ("begin", "TRANSACTION"),
        ("checkpoint", "CALL"),
        ("use memory", "SET"),
        ("prepare p as select 1", "PREPARE"),
        ("explain copy alerts to '{}'", "COPY"),
        ("explain /* ; */ analyze copy alerts to '{}'", "COPY"),
        ("EXPLAIN (ANALYZE, FORMAT json) copy (select 1) to '{}'", "COPY"),
        ("; explain analyse create temp table x as select 1", "CREATE"),
        ("explain analyze pragma show_tables", "PRAGMA"),
        ("explain analyze delete from alerts", "DELETE"),
    ],
)
def test_what_writes_or_sets_is_refused(store: Store, tmp_path: Path, sql: str, kind: str) -> None:
    with pytest.raises(UsageError, match=f"^{kind}: queries only read: SELECT, "):
        statement.run(store, sql.format(tmp_path / "x"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select nextval('alert_ids')", "queries only read"),
        ("select * from read_csv('/etc/passwd')", "read_csv(): a query cannot call this table function"),
        ("select 1 in (from Read_Text('/etc/passwd'))", "read_text(): a query cannot call"),
        ("describe from system.main.glob('/etc/*')", "glob(): a query cannot call"),
        ("explain (analyze) from query('from read_csv(1)')", "query(): a query cannot call"),
        ("from histogram('{store}', 'code')", "histogram(): a query cannot call"),
        ("from enable_profiling(save_location = '{store}', format = 'json')", "enable_profiling(): a query cannot"),
        ("from '{store}'", "store.duckdb: is the store's file; name one of its tables or views"),
        ("from 'file:{store}'", "store.duckdb: is the store's file"),
        ("from 'file://{store}'", "store.duckdb: is the store's file"),
        ("from 'file://localhost{store}'", "store.duckdb: is the store's file"),
        ("from '~/{home}'", "store.duckdb: is the store's file"),
        ("from '~nobody-of-this-name/x.parquet'", "file system operations are disabled"),
        ("summarize '{store}'", "store.duckdb: is the store's file"),
        ("select * from '/etc/passwd'", "Table with name /etc/passwd does not exist"),
        ("select * from duckdb_secrets()", "file system operations are disabled"),
        ("select 1; select 2", "a query is one statement, not 2"),
        ("pivot events on code using count(*)", "a PIVOT must name its values"),
        ("", "the query is empty"),
        (" ; -- nothing", "the query is empty"),
        ("selec 1", 'syntax error at or near "selec"'),
        ("select nothing from alerts", 'Referenced column "nothing" not found'),
        ("select cast(code as int) from events where code like '=%'", "Could not convert string"),
        ("select ?", "prepared parameter"),
    ],
)
def test_other_mistakes_are_reported_in_the_words_of_the_database(
    store: Store, tmp_path: Path, sql: str, message: str
) -> None:
    sql = sql.replace("{store}", str(store.path)).replace("{home}", os.path.relpath(store.path, Path.home()))
    with pytest.raises(UsageError) as caught:
        statement.run(store, sql)
    words, _, reported = str(caught.value).partition(" There are: ")
    assert message in words
    assert len(words) <= 320
    assert reported in ("", ", ".join(listed(store)))
    assert "\x1b" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_variables_of_the_program_are_no_tables(store: Store) -> None:
    with pytest.raises(UsageError, match="Table with name store does not exist"):
        statement.run(store, "select * from store")


@pytest.mark.slow
def test_unknown_table_lists_what_there_is(store: Store) -> None:
    with pytest.raises(UsageError) as caught:
        statement.run(store, "select * from alarms")
    assert str(caught.value).startswith(
        "Catalog Error: Table with name alarms does not exist! There are: alert_revisions, alerts, "
    )
    assert ", windows" in str(caught.value)


@pytest.mark.slow
def test_result_that_memory_would_not_hold_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement, "MOST_ROWS", 3)
    assert rows(store, "from range(3)") == [(0,), (1,), (2,)]
    with pytest.raises(UsageError, match="more than 3 rows; add a LIMIT"):
        statement.run(store, "from range(4)")


@pytest.mark.slow
def test_a_query_that_needs_too_much_memory_says_what_to_do(store: Store) -> None:
    small = Store(store.path, memory_limit="20MB")
    with pytest.raises(InputOutputError, match="--since and --until") as caught:
        statement.run(small, "select list(a.range) from range(10000) a, range(10000) b group by b.range % 7")
    assert caught.value.exit_code == 74


@pytest.mark.slow
def test_interrupt_ends_a_query_in_all_its_threads(store: Store) -> None:
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        # Hours of work, in one step that does not look up.
        with pytest.raises(KeyboardInterrupt):
            statement.run(
                store, "select count(*) from range(100000) a, range(1000000) b where hash(a.range + b.range) = 3"
            )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert rows(store, "select 1") == [(1,)]


def test_without_a_store_there_is_nothing_to_ask(tmp_path: Path) -> None:
    with pytest.raises(InputOutputError, match="there is no store yet"):
        statement.run(Store(tmp_path / "none.duckdb"), "select 1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_times_are_exact_text_and_need_no_pytz(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytz", None)
    sql = """select timestamp '2026-11-23 12:00:00.5', timestamptz '2026-11-23 12:00:00+02', timestamp '294246-01-01',
        timestamp 'infinity', date '2026-11-23', interval '1 month', '\\xAA'::blob,
        [timestamptz '2026-11-23 12:00:00+02']"""
    assert rows(store, sql) == [
        (
            "2026-11-23 12:00:00.5", "2026-11-23 10:00:00", "294246-01-01 00:00:00", "infinity", "2026-11-23",
            "1 month", "\\xAA", "['2026-11-23 10:00:00+00']",
        )
    ]  # fmt: skip
    now = datetime.fromisoformat(str(rows(store, "select now()")[0][0])).replace(tzinfo=UTC)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


VALUES = """
select * from (values
    ('a', 1, 1.50::decimal(4, 2), 2.5::double, true, [1, 2], date '2026-11-23'),
    ('long,"er', -20, 3.00::decimal(4, 2), 'nan'::double, false, [], null),
    (null, null, null, 'inf'::double, null, null, null)
) as v (text, whole, exact, real, flag, list, moment)
"""


@pytest.mark.slow
def test_table_has_numbers_right_and_null_empty(store: Store) -> None:
    assert written(store, VALUES, "table").splitlines() == [
        "text      whole  exact  real  flag   list    moment",
        "--------  -----  -----  ----  -----  ------  ----------",
        "a             1   1.50   2.5  true   [1, 2]  2026-11-23",
        'long,"er    -20   3.00   nan  false  []',
        "                         inf",
    ]


@pytest.mark.slow
def test_csv_is_that_of_the_standard(store: Store) -> None:
    assert written(store, VALUES, "csv") == (
        "text,whole,exact,real,flag,list,moment\r\n"
        'a,1,1.50,2.5,true,"[1, 2]",2026-11-23\r\n'
        '"long,""er",-20,3.00,nan,false,[],\r\n'
        ",,,inf,,,\r\n"
    )


@pytest.mark.slow
def test_json_lines_have_numbers_as_numbers(store: Store) -> None:
    assert written(store, VALUES, "jsonl").splitlines() == [
        '{"text": "a", "whole": 1, "exact": 1.5, "real": 2.5, "flag": true, "list": [1, 2], "moment": "2026-11-23"}',
        '{"text": "long,\\"er", "whole": -20, "exact": 3, "real": null, "flag": false, "list": [], "moment": null}',
        '{"text": null, "whole": null, "exact": null, "real": null, "flag": null, "list": null, "moment": null}',
    ]


@pytest.mark.slow
def test_columns_of_one_name_stay_apart_in_json_lines(store: Store) -> None:
    assert written(store, "select 1 as n, 2 as n_1, 3 as n", "jsonl") == '{"n": 1, "n_1": 2, "n_2": 3}\n'


@pytest.mark.slow
def test_names_are_shown_in_the_table_and_exact_elsewhere(store: Store) -> None:
    sql = f"select code as \"{HOSTILE}\" from events where code like '=%'"
    shown = HOSTILE.replace("\x1b", "\\x1b")
    assert written(store, sql, "table").splitlines() == [shown, "-" * len(shown), shown]
    assert written(store, sql, "csv") == f"{HOSTILE}\r\n{HOSTILE}\r\n"
    assert json.loads(written(store, sql, "jsonl")) == {HOSTILE: HOSTILE}


@pytest.mark.slow
def test_wide_characters_take_two_columns(store: Store) -> None:
    assert written(store, "select * from (values ('日本', 1), ('a', 22)) v (t, n)", "table").splitlines() == [
        "t      n",
        "----  --",
        "日本   1",
        "a     22",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.slow
def test_table_fits_the_terminal_and_cuts_text_before_numbers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    formats.write(
        statement.run(store, "select repeat('x', 40) as a, 1234567890 as n, repeat('y', 20) as b"), "table", stream
    )
    assert stream.getvalue().splitlines() == [
        "a                  n  b",
        "--------  ----------  --------",
        "xxxxxxx…  1234567890  yyyyyyy…",
    ]
    stream = Terminal()
    formats.write(
        statement.run(store, "select repeat('1', 19)::bigint as a, repeat('2', 18)::bigint as b"), "table", stream
    )
    assert stream.getvalue().splitlines()[2] == "1111111111111111111  22222222…"


# Spans of time


NUMBERS = ("series", "past_bins", "total", "before_total", "least_total", "top_total")
"""What holds within one query only."""


def cut(name: str, since: datetime, until: datetime) -> str:
    """What a span leaves of a relation, in the plainest way."""
    seconds = [int(moment.replace(tzinfo=UTC).timestamp()) for moment in (since, until)]
    conditions = {
        "events": f"ts >= timestamp '{since}' and ts < timestamp '{until}'",
        "counters": f"second >= timestamp '{since}' and second < timestamp '{until}'",
        "presence": "second >= {} and second < {}".format(*seconds),
        "pair_steps": "second >= {} and second < {}".format(*seconds),
        "tallies": "bin_second >= {} and bin_second < {}".format(*seconds),
        "bin_grids": "bin_second >= {} and bin_second < {}".format(*seconds),
        "judged_bins": "bin_second >= {} and bin_second < {}".format(*seconds),
        "bins": "bin_second >= {} and bin_second < {}".format(*seconds),
        "shares": "bin_second >= {} and bin_second < {}".format(*seconds),
        "evidence": "bin_second >= {} and bin_second < {}".format(*seconds),
        "gains": "bin_second >= {} and bin_second < {}".format(*seconds),
        "ends": "bin_second >= {} and bin_second < {}".format(*seconds),
        "increases": "bin_second >= {} and bin_second < {}".format(*seconds),
        "increase_errors": "bin_second >= {} and bin_second < {}".format(*seconds),
        "windows": "stop_second >= {} and stop_second < {}".format(*seconds),
        "regressions": "stop_second >= {} and stop_second < {}".format(*seconds),
        "fired": "stop_second >= {} and stop_second < {}".format(*seconds),
        "alerts": f"end_ts > timestamp '{since}' and start_ts < timestamp '{until}'",
        "incident_spans": f"end_ts > timestamp '{since}' and start_ts < timestamp '{until}'",
        "incidents": f"end_ts > timestamp '{since}' and start_ts < timestamp '{until}'",
        "side_counters": "second >= {} and second < {}".format(*seconds),
        "gaps": "until_second > {} and from_second < {}".format(*seconds),
        "pairs": "until_second > {} and from_second < {}".format(*seconds),
    }
    return conditions.get(name, "true")


def columns(store: Store, name: str) -> str:
    described = rows(store, f"select column_name from (describe {name})")
    return ", ".join(str(column) for (column,) in described if column not in NUMBERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*views.relations(), "events", "counters", "alerts", "builds", "rules", "progress"])
def test_a_span_holds_what_a_condition_on_all_history_would_leave(store: Store, name: str) -> None:
    listed = columns(store, name)
    # The hostile code comes in the last second only, and has no rows of zeros in a span far from it.
    common = (
        f"where code <> '{HOSTILE.replace(chr(39), chr(39) * 2)}'" if "code" in listed.split(", ") else "where true"
    )
    everything = rows(store, f"select {listed} from {name} {common} and {cut(name, SINCE, UNTIL)} order by all")
    assert rows(store, f"select {listed} from {name} {common} order by all", SINCE, UNTIL) == everything


@pytest.mark.slow
def test_the_span_of_this_history_is_not_empty(store: Store) -> None:
    names = ("events", "alerts", "incidents", "windows", "fired", "bins", "pair_steps", "judged_bins")
    assert [name for name in names if not rows(store, f"from {name}", SINCE, UNTIL)] == []
    assert [
        name for name in names if rows(store, f"from {name} limit 1", datetime(2020, 1, 1), datetime(2020, 1, 2))
    ] == []


@pytest.mark.slow
def test_a_portion_behind_an_empty_one_is_whole_however_many_rows_it_has(tmp_path: Path) -> None:
    """DuckDB 1.5 loses 122,880 rows and more that a transaction inserts after none."""
    hours = [Record(MONDAY + 60 * minute, "1.9", "7") for minute in range(12 * 60)]
    both = [
        Record(MONDAY + 7 * 3600 + second, build, f"E{code}")
        for second in (0, 30)
        for build in ("1.9", "1.10")
        for code in range(360)
    ]
    many = history(tmp_path / "many.duckdb", [*hours, *both])
    until = MIDNIGHT + timedelta(hours=12)
    sql = "select count(*) from bins where rule = 'ratio' and bin_second < epoch(timestamp '2026-11-23 12:00:00')"
    ((whole,),) = rows(many, sql)
    assert int(str(whole)) > 122_880
    assert rows(many, sql, MIDNIGHT, until) == [(whole,)]


@pytest.mark.slow
def test_numbers_that_hold_in_one_portion_only_are_left_out(store: Store) -> None:
    assert "series" in statement.run(store, "from bins limit 0").columns
    assert "series" not in statement.run(store, "from bins limit 0", SINCE, UNTIL).columns
    for name in ("evidence", "regressions"):
        assert set(NUMBERS) & set(statement.run(store, f"from {name} limit 0").columns)
        assert not set(NUMBERS) & set(statement.run(store, f"from {name} limit 0", SINCE, UNTIL).columns)


@pytest.mark.slow
def test_names_are_cut_together_whoever_names_them(store: Store) -> None:
    sql = """
    with second as (select sum(errors) as errors from Counters),
    bin as (select sum(candidate_errors) as errors from "bins" where rule = 'ratio')
    select (select errors from second), (select errors from bin), (select count(*) from main.counters),
        (select count(*) from incidents where rule = 'ratio'), (select count(*) from pairs)
    """
    since, until = MIDNIGHT + timedelta(minutes=1), MIDNIGHT + timedelta(minutes=2)
    assert rows(store, sql, since, until) == [(120, 60, 120, 0, 1)]


@pytest.mark.slow
def test_a_span_may_be_open_and_have_an_offset(store: Store) -> None:
    count = "select count(*) from events"
    half = MIDNIGHT + timedelta(minutes=10)
    assert rows(store, count, since=half) == [(1801,)]
    assert rows(store, count, until=half) == [(1200,)]
    offset = datetime(2026, 11, 23, 2, 10, tzinfo=timezone(timedelta(hours=2)))
    assert rows(store, count, until=offset) == [(1200,)]
    later = half + timedelta(microseconds=1)
    assert rows(store, count, since=later) == [(1798,)]
    assert rows(store, "select min(second) - 1795392000 from presence", since=later) == [(601,)]
    assert rows(store, "select max(second) - 1795392000 from presence", until=later) == [(600,)]


@pytest.mark.slow
def test_batches_runs_and_rejects_are_cut_by_the_clock(tmp_path: Path) -> None:
    store = history(tmp_path / "store.duckdb", regression(60))
    with store.write() as connection, connection.begin():
        connection.exec_driver_sql("insert into rejects values (1, 's', '/a.csv', 7, 'code is missing', 'x,,')")
    sql = "select (select count(*) from batches), (select count(*) from runs), (select count(*) from rejects)"
    noon = datetime(2026, 11, 23, 12)
    assert rows(store, sql, since=noon - timedelta(minutes=1), until=noon + timedelta(minutes=1)) == [(1, 1, 1)]
    assert rows(store, sql, since=noon + timedelta(minutes=1)) == [(0, 0, 0)]


@pytest.mark.slow
def test_an_incident_is_whole_though_the_span_lies_in_a_pause_of_it(tmp_path: Path) -> None:
    store = history(tmp_path / "store.duckdb", regression())
    with store.write() as connection, connection.begin():
        connection.exec_driver_sql(
            "update alerts set state = 'retracted'\n"
            "where start_ts < timestamp '2026-11-23 00:17:00' and end_ts > timestamp '2026-11-23 00:15:00'"
        )
    sql = "select start_ts, end_ts, alerts from incidents where rule = 'ratio' and code = '-17'"
    assert len(rows(store, sql)) == 1
    since, until = datetime(2026, 11, 23, 0, 15, 30), datetime(2026, 11, 23, 0, 15, 40)
    assert rows(store, "from alerts where state = 'current' and rule = 'ratio'", since, until) == []
    assert rows(store, sql, since, until) == rows(store, sql)


@pytest.mark.slow
def test_a_span_of_nothing_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="--since 2026-11-23 00:17:05 is not before --until 2026-11-23 00:13:20"):
        statement.run(store, "select 1", UNTIL, SINCE)


@pytest.mark.slow
def test_a_store_without_records_has_empty_spans(tmp_path: Path) -> None:
    store = history(tmp_path / "store.duckdb", [])
    assert rows(store, "select (select count(*) from windows), (select count(*) from gaps)", since=MIDNIGHT) == [(0, 0)]
