"""A database is read to its end and no row twice, whatever its rows are; here SQLite, which needs no server."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from streammetrics.errors import ConfigError, InputOutputError, UsageError
from streammetrics.ingest.unload import remove, with_followers
from streammetrics.sources import cursor_state
from tests.ingest.databases.feeding import NOW, Reader, Sqlite, empty, moment
from tests.streams import tries

pytestmark = pytest.mark.slow


@pytest.fixture
def errors(tmp_path: Path) -> Sqlite:
    return Sqlite(tmp_path / "e.db")


@pytest.fixture
def reader(store: Connection, tmp_path: Path, errors: Sqlite) -> Reader:
    return Reader(store, tmp_path, {"url": errors.url, "table": "errors"})


def each_once(*codes: Any) -> Counter[str]:
    return Counter(map(str, codes))


def test_what_is_new_is_read_and_nothing_twice(reader: Reader, errors: Sqlite) -> None:
    errors.add(1, 2, 3)
    first = reader.ingest()
    assert (str(first.path), first.state, first.records) == (f"sqlite:{errors.path}#errors", "loaded", 3)
    assert first.message == ""
    assert reader.ingest().state == "skipped"
    errors.add(4)
    assert (reader.ingest().records, reader.ingest().records) == (1, 0)
    assert reader.counted() == each_once(1, 2, 3, 4)
    ledger = "select source, path, range_start, range_end, records, min_ts, duplicate_of from batches order by batch_id"
    path = f"sqlite:{errors.path}#errors"
    assert reader.rows(ledger) == [
        ("clients", path, 0, 3, 3, datetime(2026, 11, 23, 10, 0, 1), None),
        ("clients", path, 3, 4, 1, datetime(2026, 11, 23, 10, 0, 4), None),
    ]


@pytest.mark.parametrize("portion_rows", [1, 3, 7, 100])
def test_portions_of_every_size(reader: Reader, errors: Sqlite, portion_rows: int) -> None:
    """Equal values of the cursor lie across the ends of portions, and come again between runs."""
    errors.run("drop table errors")
    errors.run("create table errors (id integer, ts, build, code)")
    errors.add(*[5] * 5, *[6] * 3, *[9] * 4)
    assert reader.ingest(portion_rows=portion_rows).records == 12
    assert reader.rows("select count(*) from batches") == [(-(-12 // portion_rows),)]
    errors.add(9, 9, 6, 5, 10)
    assert reader.ingest(portion_rows=portion_rows).records == 5
    assert reader.ingest(portion_rows=portion_rows).state == "skipped"
    assert reader.counted() == Counter({"5": 6, "6": 4, "9": 6, "10": 1})


def test_rows_that_become_visible_late(reader: Reader, errors: Sqlite) -> None:
    errors.run("drop table errors")
    errors.run("create table errors (id integer, ts, build, code)")
    errors.add(*range(100, 120))
    assert reader.ingest(overlap=15).records == 20
    errors.add(104, 120, code=lambda number: f"late {number}")
    errors.run("delete from errors where id = 110")
    assert reader.ingest(overlap=15).records == 2
    # 120 - 15: what becomes visible below that is lost, as the documentation says.
    errors.add(99)
    assert reader.ingest(overlap=15).state == "skipped"
    assert reader.counted() == each_once(*range(100, 120), "late 104", "late 120")


OVERLAP = 10


@tries(12)
@given(
    runs=st.lists(
        st.tuples(st.lists(st.tuples(st.integers(-OVERLAP, 25), st.integers(1, 3)), max_size=6), st.integers(2, 9)),
        min_size=2,
        max_size=4,
    )
)
def test_whatever_becomes_visible_within_the_overlap_counts_once(
    one_store: Connection, runs: list[tuple[list[tuple[int, int]], int]]
) -> None:
    """Between two runs rows appear up to `OVERLAP` below the highest that was read, some of them all alike."""
    empty(one_store)
    with TemporaryDirectory() as folder:
        errors = Sqlite(Path(folder) / "e.db", "id integer, ts, build, code")
        reader = Reader(one_store, Path(folder), {"url": errors.url, "table": "errors", "overlap": OVERLAP})
        highest, expected = 0, Counter[str]()
        for found, portion_rows in runs:
            ids = [highest + place for place, copies in found for _ in range(copies)]
            errors.add(*ids)
            expected.update(map(str, ids))
            highest = max([highest, *ids])
            reader.ingest(portion_rows=portion_rows)
            assert reader.counted() == expected


def test_a_wider_overlap_doubles_nothing(reader: Reader, errors: Sqlite) -> None:
    errors.add(*range(100))
    reader.ingest(overlap=0)
    errors.add(100)
    assert reader.ingest(overlap=1000).records == 1
    assert reader.ingest(overlap=5).state == "skipped"
    assert reader.ingest(overlap=1000).state == "skipped"


def test_without_an_overlap_equal_values_still_count_once(reader: Reader, errors: Sqlite) -> None:
    errors.run("drop table errors")
    errors.run("create table errors (id integer, ts, build, code)")
    errors.add(1, 2, 2)
    reader.ingest(overlap=0)
    errors.add(2)
    assert reader.ingest(overlap=0).records == 1
    assert reader.counted() == Counter({"1": 1, "2": 3})


@pytest.mark.parametrize(
    ("write", "floor", "kind"),
    [
        (lambda seconds: 1000 * seconds, "49000", "integer"),
        (lambda seconds: seconds + 0.5, "-49.5", "float"),
    ],
)
def test_cursors_of_every_kind(reader: Reader, errors: Sqlite, write: Any, floor: str, kind: str) -> None:
    errors.run("drop table errors")
    errors.run("create table errors (id, ts, build, code)")
    rows = [(write(number), moment(number), "5.9", str(number)) for number in range(50)]
    errors.run("insert into errors values (?, ?, ?, ?)", rows)
    overlap = {"overlap": 0 if kind == "integer" else 99}
    reader.ingest(**overlap)
    assert reader.rows("select kind, floor from cursor_marks order by batch_id desc limit 1") == [(kind, floor)]
    errors.run("insert into errors values (?, ?, 'x', 'more')", [(write(49), moment(49)), (write(50), moment(50))])
    assert [reader.ingest(**overlap).records for _ in range(2)] == [2, 0]
    assert reader.counted() == each_once(*range(50), "more", "more")


def test_rows_without_a_cursor_are_quarantined_once_each(reader: Reader, errors: Sqlite) -> None:
    errors.run("drop table errors")
    errors.run("create table errors (id integer, ts, build, code)")
    errors.add(1)
    errors.run("insert into errors values (null, ?, '5.9', 7)", [(moment(1),)] * 2)
    outcome = reader.ingest()
    message = f"sqlite:{errors.path}#errors: 1 accepted, 2 rejected; has no id, the cursor"
    assert (outcome.records, outcome.rejected, outcome.message) == (1, 2, message)
    errors.run("insert into errors values (null, ?, '5.9', 7)", [(moment(1),)])
    assert [reader.ingest().rejected for _ in range(2)] == [1, 0]
    assert reader.rejects()[0] == (1, "has no id, the cursor", f"None,{moment(1)},5.9,7")
    assert reader.counted() == each_once(1)


BAD = [
    ((moment(2), "5.9", None), "has no code", f"2,{moment(2)},5.9,None"),
    ((moment(2), None, "7"), "has no build", f"2,{moment(2)},None,7"),
    ((None, "5.9", "7"), "has no time", "2,None,5.9,7"),
    ((moment(2), "", "7"), "has no build", f"2,{moment(2)},,7"),
    ((moment(2), "5.9", b"\xff7"), "code is neither text nor a number", f"2,{moment(2)},5.9,b'\\xff7'"),
    ((b"2026", "5.9", "7"), "time is neither text nor a number", "2,b'2026',5.9,7"),
    (("yesterday", "5.9", "7"), "time cannot be read", "2,yesterday,5.9,7"),
    ((moment(2), "5.9", "7\0"), "holds a NUL character", f"2,{moment(2)},5.9,7\\x00"),
    ((moment(2), "5.9", "x" * 1_000_001), "is longer than 1,000,000 characters", f"2,{moment(2)},5.9,{'x' * 167}"),
    (("2036-01-01 00:00:00", "5.9", "7"), "ahead of the clock", "2,2036-01-01 00:00:00,5.9,7"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason", "content"), BAD, ids=[f"{n}: {reason}" for n, (_, reason, _) in enumerate(BAD)]
)
def test_a_bad_row_is_quarantined_and_the_others_count(
    reader: Reader, errors: Sqlite, row: Any, reason: str, content: str
) -> None:
    errors.add(1, 3)
    errors.run("insert into errors values (2, ?, ?, ?)", [row])
    outcome = reader.ingest()
    assert (outcome.records, outcome.rejected) == (2, 1)
    ((line, found, shown),) = reader.rejects()
    assert (line, shown) == (2, content)
    assert reason in found
    assert outcome.message.endswith(f"2 accepted, 1 rejected; id 2: {found}")
    assert reader.ingest().state == "skipped"
    assert reader.counted() == each_once(1, 3)


def test_text_that_is_not_utf_8_is_quarantined(reader: Reader, errors: Sqlite) -> None:
    errors.add(1)
    errors.run("insert into errors values (2, ?, '5.9', cast(x'ff37' as text))", [(moment(2),)])
    assert reader.ingest().rejected == 1
    assert reader.rejects()[0][1:] == ("is not valid UTF-8", f"2,{moment(2)},5.9,\\udcff7")
    assert reader.ingest().state == "skipped"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (7, "7"),
        (-17, "-17"), (2**63 - 1, "9223372036854775807"), ("007", "007"), ("", ""), (" x ", " x "), ("🙂", "🙂"),
        ('a"b,c\nd', 'a"b,c\nd'), (1e20, "100000000000000000000"), (404.0, "404"),
    ],
)  # fmt: skip
def test_codes_are_text_exactly(reader: Reader, errors: Sqlite, code: Any, text: str) -> None:
    errors.add(1, code=lambda _: code)
    assert reader.ingest().records == 1
    assert reader.counted() == each_once(text)


@pytest.mark.parametrize(
    ("ts", "settings", "expected"),
    [
        ("2026-11-23T10:00:00.123456Z", {}, datetime(2026, 11, 23, 10, 0, 0, 123456)),
        ("2026-11-23 10:00:00+02:00", {}, datetime(2026, 11, 23, 8)),
        ("2026-11-23 10:00:00", {"timezone": "Europe/Berlin"}, datetime(2026, 11, 23, 9)),
        ("10:00:00", {"date": "2026-11-22"}, datetime(2026, 11, 22, 10)),
        (1795428000, {}, datetime(2026, 11, 23, 10)),
        (1795428000.25, {}, datetime(2026, 11, 23, 10, 0, 0, 250000)),
        (1795428000123456789, {}, datetime(2026, 11, 23, 10, 0, 0, 123456)),
    ],
)
def test_times_are_those_of_files(reader: Reader, errors: Sqlite, ts: Any, settings: Any, expected: datetime) -> None:
    errors.run("insert into errors values (1, ?, '5.9', '7')", [(ts,)])
    reader.ingest(**settings)
    assert reader.rows("select ts from events") == [(expected,)]


def test_a_query_and_a_mapping(reader: Reader, errors: Sqlite) -> None:
    errors.add(1, 2, 3)
    query = """
        select id as "Key", ts as 'the "time"', build || ':x' as version_of, '50%:' || code as "why?" from errors
        where id <> 2 and ':y' <> '' -- a comment
    """
    names = {"ts": 'the "time"', "build": "version_of", "code": "why?"}
    reader.settings = {"url": errors.url, "query": query, "cursor": "Key", "columns": names}
    outcome = reader.ingest(portion_rows=1)
    assert (str(outcome.path), outcome.message) == (f"sqlite:{errors.path}", "")
    assert reader.counted() == each_once("50%:1", "50%:3")
    assert reader.rows("select distinct build from events") == [("5.9:x",)]
    reader.settings["query"] = "select * from errors;"
    errors.add(4)
    assert reader.ingest(columns=None, cursor="Key").error is not None


@pytest.mark.parametrize("name", ["Error Log", 'a"b', "select", "Übel'; drop table x --", "a.b", "50%", ":x"])
def test_any_table_name(reader: Reader, errors: Sqlite, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    errors.run(f"create table {quoted} (id integer, ts, build, code)")
    errors.run(f"insert into {quoted} values (1, ?, '5.9', 7)", [(moment(1),)])
    assert [reader.ingest(table=name).records for _ in range(2)] == [1, 0]


def test_a_mapping_that_is_wrong_takes_nothing(reader: Reader, errors: Sqlite) -> None:
    errors.add(1, 2, code=lambda number: f"E{number}")
    wrong = {"ts": "code", "build": "build", "code": "ts"}
    outcome = reader.ingest(columns=wrong)
    assert isinstance(outcome.error, ConfigError)
    assert outcome.message == (
        f"sqlite:{errors.path}#errors: none of 2 rows can be read, and none was stored; id 1: time cannot be read: "
        "correct columns, date or timezone of [[source]] 'clients'"
    )
    assert reader.ingest().records == 2


def test_another_mapping_doubles_nothing(reader: Reader, errors: Sqlite) -> None:
    """What a row holds is then another thing: it is known by its cursor."""
    errors.run("alter table errors add column other")
    errors.add(1, 2, 3)
    reader.ingest()
    errors.run("update errors set other = 'x'")
    errors.add(4)
    other = {"ts": "ts", "build": "build", "code": "other"}
    errors.run("update errors set other = 'new' where id = 4")
    assert [reader.ingest(columns=other).records for _ in range(3)] == [1, 0, 0]
    query = "select id, ts, build, upper(code) as code from errors"
    reader.settings = {"url": errors.url, "query": query}
    errors.add(5)
    assert [reader.ingest().records for _ in range(2)] == [1, 0]
    assert reader.counted() == each_once(1, 2, 3, "new", 5)


def test_a_hundred_unreadable_rows_are_a_change_of_the_table(reader: Reader, errors: Sqlite) -> None:
    errors.add(1)
    reader.ingest()
    errors.add(*range(2, 101), code=lambda _: None)
    errors.add(101, code=lambda _: None)
    assert isinstance(reader.ingest().error, ConfigError)
    errors.run("update errors set code = 'x' where id = 50")
    assert (reader.ingest().records, reader.ingest().state) == (1, "skipped")


@pytest.mark.parametrize("odd", ["abc", b"abc", float("inf")])
def test_values_that_have_no_order_end_the_reading_there(reader: Reader, errors: Sqlite, odd: Any) -> None:
    errors.run("drop table errors")
    errors.run("create table errors (id, ts, build, code)")
    errors.add(1, 2)
    errors.run("insert into errors values (?, ?, '5.9', 'odd')", [(odd, moment(1))])
    for records in (2, 0):
        outcome = reader.ingest()
        assert (outcome.records, isinstance(outcome.error, InputOutputError)) == (records, True)
        why = cursor_state.TEXT_PROBLEM if odd == "abc" else "is no number or time like those before: a query can"
        assert f"{str(odd)[:40]!r} in 'id', the cursor: {why}" in outcome.message
    errors.add(3)
    assert reader.ingest().records == 1
    assert reader.counted() == each_once(1, 2, 3)


def test_a_text_is_no_cursor(reader: Reader, errors: Sqlite) -> None:
    errors.run("drop table errors")
    errors.run("create table errors (id text, ts, build, code)")
    errors.add(1, 2)
    outcome = reader.ingest()
    assert (outcome.records, isinstance(outcome.error, InputOutputError)) == (0, True)
    assert outcome.message == (
        f"sqlite:{errors.path}#errors: '1' in 'id', the cursor: text does not grow with each row: take a cursor of "
        "numbers or times, or let query make one of it; rows from there on are not read"
    )
    query = "select cast(id as integer) as number, ts, build, code from errors"
    assert reader.ingest(table=None, query=query, cursor="number").records == 2


def test_a_store_that_was_read_by_text(reader: Reader, errors: Sqlite) -> None:
    """Earlier versions did: the source is not read on, and can be unloaded."""
    errors.add(1, 2)
    reader.ingest()
    errors.add(3)
    batch_id = reader.ingest().batch_id
    assert batch_id is not None
    with reader.connection.begin():
        reader.connection.exec_driver_sql("update cursor_marks set kind = 'text', mark = 'b', floor = 'b'")
    errors.add(4)
    outcome = reader.ingest()
    assert isinstance(outcome.error, ConfigError)
    assert outcome.message == (
        "[[source]] 'clients': was read by cursor 'id' so far, up to b; text does not grow with each row: take a "
        "cursor of numbers or times, or let query make one of it; to read it by another from its beginning, give it "
        "another name"
    )
    with reader.connection.begin():
        remove(reader.connection, [batch_id], NOW)
    assert reader.ingest(name="again").records == 4


def test_another_cursor_is_refused(reader: Reader, errors: Sqlite) -> None:
    errors.add(1, 2)
    reader.ingest()
    outcome = reader.ingest(cursor="ts")
    assert isinstance(outcome.error, ConfigError)
    assert outcome.message == (
        "[[source]] 'clients': was read by cursor 'id' so far, up to 2; to read it by another from its beginning, "
        "give it another name"
    )


def test_a_table_that_begins_anew_is_reported(reader: Reader, errors: Sqlite) -> None:
    errors.add(100, 101)
    reader.ingest(overlap=5)
    errors.run("delete from errors")
    assert reader.ingest(overlap=5).state == "skipped"
    errors.add(1, 2)
    outcome = reader.ingest(overlap=5)
    assert isinstance(outcome.error, InputOutputError)
    assert outcome.message.endswith(
        "#errors: was read up to 101, and holds no more than 2 now; if it was recreated, give [[source]] 'clients' "
        "another name: it is then read from its beginning"
    )


def test_too_much_to_remember_is_refused(reader: Reader, errors: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursor_state, "MOST_REMEMBERED", 10)
    errors.add(*range(20))
    assert isinstance(reader.ingest(portion_rows=4).error, ConfigError)
    assert len(reader.rows("select * from events")) == 8
    assert reader.ingest(portion_rows=4, overlap=3).records == 12


def test_memory_is_given_back(reader: Reader, errors: Sqlite) -> None:
    for start in range(0, 60, 20):
        errors.add(*range(start, start + 20))
        reader.ingest(overlap=10, portion_rows=7)
        # Those from the floor on, and the others of the batch that the floor lies in.
        assert 11 <= reader.rows("select count(*) from cursor_rows")[0][0] <= 11 + 2 * 7


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "sqlite:///nothing.db"}, "[[source]] 'clients': {folder}/nothing.db: there is no such database"),
        ({"table": "nothing"}, "sqlite:{folder}/e.db#nothing: cannot be read: no such table: nothing"),
        ({"cursor": "no"}, "sqlite:{folder}/e.db#errors: there is no column 'no', the cursor of [[source]] 'clients'; "
                           "the columns found are: id, ts, build, code"),
        ({"url": "no://x/y"}, "no:x/y#errors: cannot be read: Can't load plugin: sqlalchemy.dialects:no"),
        ({"url": "mysql+pymysql://x/y"}, "mysql+pymysql:x/y#errors: needs a Python package: pip install 'pymysql'"),
        ({"url": "postgresql+psycopg2://x/y"},
         "postgresql+psycopg2:x/y#errors: needs a Python package: pip install 'psycopg2-binary'"),
        ({"password_env": "NO_SUCH"}, "[[source]] 'clients': NO_SUCH is not set in the environment"),
        ({"password_file": "no"}, "[[source]] 'clients': {folder}/no: cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_reported_and_the_next_source_goes_on(
    reader: Reader, errors: Sqlite, settings: dict[str, Any], message: str
) -> None:
    errors.add(1)
    failed, done = reader.outcomes({"name": "clients", "cursor": "id", **reader.settings, **settings}, name="others")
    assert (failed.state, failed.message) == ("failed", message.format(folder=reader.folder))
    assert (done.state, done.records) == ("loaded", 1)
    assert not (reader.folder / "nothing.db").exists()


def test_progress_is_reported_in_rows(reader: Reader, errors: Sqlite) -> None:
    errors.add(*range(5))
    reader.ingest(portion_rows=2)
    assert reader.progress == [(0, 5), (2, 5), (4, 5)]


@pytest.mark.parametrize(
    ("value", "build", "code"),
    [(404.0, "404", "404"), (5.5, "5.5", "5.5"), (-17.0, "-17", "-17"), (1e20, *2 * ["1" + "0" * 20])],
)
def test_a_whole_number_has_one_spelling(reader: Reader, errors: Sqlite, value: float, build: str, code: str) -> None:
    errors.run("insert into errors values (?, ?, ?, ?)", [(1, "2026-11-23 10:00:00", value, value)])
    assert reader.ingest().rejected == 0
    assert reader.rows("select build, code from events") == [(build, code)]


def test_any_database_of_sqlalchemy(store: Connection, tmp_path: Path) -> None:
    """DuckDB's dialect is at hand: decimals and times that are no text."""
    path = tmp_path / "other.duckdb"
    engine = create_engine(f"duckdb:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create table errors as select range::decimal(20, 3) as id, timestamptz '2026-11-23 10:00:00+00' as ts, "
            "5.10::decimal(5, 2) as build, 1e3::decimal(30, 2) as code from range(3)"
        )
    engine.dispose()
    reader = Reader(store, tmp_path, {"url": f"duckdb:///{path}", "query": "select id, ts, build, code from errors"})
    assert [reader.ingest().records for _ in range(2)] == [3, 0]
    assert reader.counted() == Counter({"1000": 3})
    assert reader.rows("select distinct build from events") == [("5.10",)]
    assert reader.rows("select kind, mark from cursor_marks") == [("decimal", str(Decimal("2.000")))]


def unload(reader: Reader, *batch_ids: int) -> list[int]:
    """Take batches out again; all that went."""
    with reader.connection.begin():
        found = [one.batch_id for one in with_followers(reader.connection, batch_ids)]
        remove(reader.connection, found, NOW)
    return found


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_what_is_unloaded_is_read_again(reader: Reader, errors: Sqlite, kept: int) -> None:
    """The cursor goes back, and rows that still count are known: those that came late, and those without a cursor."""
    errors.run("drop table errors")
    errors.run("create table errors (id integer, ts, build, code)")
    begun = []
    for number, ids in enumerate(((1, 2, 3), (4, 2, 6), (5, 7))):
        errors.add(*ids)
        errors.run("insert into errors values (null, ?, '5.9', 'no id')", [(moment(1),)])
        ((last,),) = reader.rows("select coalesce(max(batch_id), 0) from batches")
        reader.ingest(**({} if number < kept else {"timezone": "Asia/Kolkata"}))
        begun.append(f"select min(batch_id) from batches where batch_id > {last}")
    ((batch_id,),) = reader.rows(begun[kept])
    assert len(unload(reader, batch_id)) >= 3 - kept
    assert reader.ingest().state == "loaded"
    assert reader.counted() == each_once(1, 2, 2, 3, 4, 5, 6, 7)
    assert [content for _, _, content in reader.rejects()] == [f"None,{moment(1)},5.9,no id"] * 3
    assert reader.rows("select max(ts) from events") == [(datetime(2026, 11, 23, 10, 0, 7),)]
    assert reader.ingest().state == "skipped"


def test_a_cursor_does_not_go_back_to_where_rows_are_forgotten(reader: Reader, errors: Sqlite) -> None:
    for number in range(3):
        errors.add(*range(100 * number, 100 * number + 100))
        reader.ingest(overlap=50)
    before = reader.rows("select * from batches order by batch_id")
    ids = [row[0] for row in before]
    with pytest.raises(UsageError, match=f"which rows were read up to batch {ids[0]}, so the source cannot"):
        unload(reader, ids[1])
    assert reader.rows("select * from batches order by batch_id") == before
    assert unload(reader, ids[0]) == ids
    assert reader.ingest(overlap=50).records == 300
    assert reader.counted() == each_once(*range(300))


def test_rows_that_are_all_ahead_of_the_clock_are_suspected(reader: Reader, errors: Sqlite) -> None:
    reader.now = datetime(2026, 11, 23, 9, 50)
    errors.add(1, 2)
    outcome = reader.ingest(portion_rows=1)
    ((first,),) = reader.rows("select min(batch_id) from batches")
    assert outcome.message == (
        f"sqlite:{errors.path}#errors: all new records are ahead of the clock, the first by 0:10:01, the last by "
        f"0:10:01 (h:mm:ss): is timezone = 'UTC' of [[source]] 'clients' wrong? `streammetrics unload {first}`, "
        "correct it, and they are read again"
    )


def test_local_times_go_on_from_the_rows_before(reader: Reader, errors: Sqlite) -> None:
    """Read every ten minutes through the night in which the clock is put back."""
    first, zone = datetime(2026, 10, 24, 23, 30), ZoneInfo("Europe/Berlin")
    moments = [first + timedelta(minutes=minute) for minute in range(180)]
    for number, at in enumerate(moments, start=1):
        local = at.replace(tzinfo=UTC).astimezone(zone)
        row = (number, f"{local:%Y-%m-%d %H:%M:%S}", "5.9", str(at))
        errors.run("insert into errors values (?, ?, ?, ?)", [row])
        if number % 10 == 0:
            reader.ingest(timezone="Europe/Berlin")
    assert reader.rejects() == []
    assert reader.rows("select count(*), count(*) filter (ts = code::timestamp) from events") == [(180, 180)]
