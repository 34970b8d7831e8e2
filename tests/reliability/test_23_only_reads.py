"""Promise: whatever SQL people type into `query` changes no byte on disk and reads no file but the store.

Statements of every type of DuckDB's grammar, alone and inside all that can hold a statement, and its functions with
paths as arguments. The store is called `store.json`, a name that functions accept which write a profile as JSON.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from streammetrics.errors import StreammetricsError
from streammetrics.query import statement as query
from streammetrics.store.connection import Store
from tests.histories import history, regression
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

CANARY = "canary-4711"
"""What no answer may contain: it stands in the files beside the store."""

# {f}: a file beside the store, or the store itself.
STATEMENTS = (
    "select 1",
    "from alerts",
    "values (1)",
    "table alerts",
    "with a as (select 1) from a",
    "with recursive a as (select 1 as n union all select n + 1 from a where n < 3) from a",
    "select nextval('alert_ids')",
    "from '{f}'",
    "from read_csv('{f}')",
    "from read_blob('{f}')",
    "from query_table('{f}')",
    "from histogram('{f}', 'a')",
    "from query('from read_text(''{f}'')')",
    "from query('copy (select 1) to ''{f}''')",
    "from json_execute_serialized_sql(json_serialize_sql('from read_text(''{f}'')'))",
    "from enable_profiling(save_location = '{f}', format = 'json')",
    "from enable_logging(storage = 'file', storage_path = '{f}')",
    "select write_log('{f}', level := 'warning')",
    "describe alerts",
    "describe from read_csv('{f}')",
    "summarize '{f}'",
    "show tables",
    "show all tables",
    "show threads",
    "pivot events on code using count(*)",
    "pivot events on code in ('7') using count(*)",
    "unpivot alerts on value",
    "pragma show_tables",
    "pragma table_info('alerts')",
    "pragma force_checkpoint",
    "pragma import_database('{f}')",
    "pragma copy_database('store', 'memory')",
    "pragma add_parquet_key('a', '{f}')",
    "pragma enable_profiling = 'json'",
    "pragma profiling_output = '{f}'",
    "copy (select 1) to '{f}'",
    "copy (select 1) to '{f}' (format csv, use_tmp_file false)",
    "copy (select 1) to '{f}' (format parquet, use_tmp_file false, overwrite_or_ignore true)",
    "copy alerts to '{f}'",
    "copy alerts from '{f}'",
    "copy from database store to memory",
    "export database '{f}'",
    "import database '{f}'",
    "attach '{f}' as other",
    "attach '{f}' as other (read_only)",
    "attach 'new.duckdb'",
    "detach store",
    "use memory",
    "create table x as select 1",
    "create temp table x as select 1",
    "create or replace view alerts as select 1",
    "create macro x() as table select 1",
    "create sequence x",
    "create type x as enum ('a')",
    "create index x on alerts (code)",
    "create schema x",
    "create persistent secret x (type http)",
    "insert into rejects select * from rejects",
    "update alerts set state = 'retracted'",
    "delete from alerts",
    "truncate alerts",
    "merge into codes using builds on true when matched then delete",
    "drop table alerts",
    "drop view if exists bins",
    "alter table alerts rename to x",
    "comment on table alerts is 'x'",
    "begin",
    "commit",
    "rollback",
    "checkpoint",
    "force checkpoint store",
    "vacuum",
    "vacuum full",
    "analyze",
    "analyze alerts",
    "prepare p as select 1",
    "execute p",
    "deallocate p",
    "call pragma_version()",
    "call enable_profiling(save_location = '{f}', format = 'json')",
    "call enable_logging(storage = 'file', storage_path = '{f}')",
    "call force_checkpoint()",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "set temp_directory = '{f}'",
    "set variable x = 1",
    "reset all",
    "load '{f}'",
    "install '{f}'",
    "force install httpfs from '{f}'",
    "update extensions",
)

HOLDERS = (
    "{}",
    "; {}",
    "/* select 1 */ {} -- select 1",
    "explain {}",
    "explain analyze {}",
    "explain (analyze, format json) {}",
    "explain (format html) {}",
    "explain /* ( */ analyse -- )\n {}",
    "prepare p as {}",
    "copy ({}) to '{f}'",
    "copy ({}) to '{f}' (use_tmp_file false)",
    "create temp table x as {}",
    "create or replace view alerts as {}",
    "create macro x() as table {}",
    "insert into codes {}",
    "with a as ({}) from a",
    "with a as materialized ({}) from a",
    "from ({})",
    "select ({})",
    "select 1 where exists ({})",
    "select 1 union all {}",
    "describe {}",
    "summarize {}",
    "select 1; {}",
    "from query('{q}')",
    "call query('{q}')",
    "from json_execute_serialized_sql(json_serialize_sql('{q}'))",
    "pragma json_execute_serialized_sql(json_serialize_sql('{q}'))",
    "execute p('{q}')",
    "begin; {}; commit",
)

ATTACKS = (
    "explain analyze copy (select 1) to '{f}' (format csv, use_tmp_file false)",
    "explain (analyze) copy (select 1) to '{f}' (format csv, use_tmp_file false)",
    "from enable_logging(storage = 'file', storage_path = '{f}.tmp/log')",
)
"""The first two overwrote the store; the last ended in a traceback, or in an abort."""

FUNCTIONS = "select distinct function_name, function_type, parameter_types from duckdb_functions() order by all"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("installation")
    store = history(folder / "store.json", regression(60))
    for name in ("input.csv", "profile.json", "store.json.other"):
        (folder / name).write_text(f"a,b\n{CANARY},2\n")
    (folder / "export").mkdir()
    (folder / "export" / "schema.sql").write_text(f"select '{CANARY}';\n")
    query.run(store, "select 1")
    return store


def targets(store: Store) -> list[str]:
    beside = ("input.csv", "profile.json", "new.json", "export", "*", "store.json.wal", "../input.csv")
    return [str(store.path), *(str(store.path.parent / name) for name in beside), "store.json", "/etc/passwd"]


def statements(store: Store, draw: random.Random) -> Iterator[str]:
    """Each statement in each holder, and in two of them; each with one of the paths, drawn."""
    paths = targets(store)
    for statement in STATEMENTS:
        for holder in HOLDERS:
            for outer in ("{}", draw.choice(HOLDERS)):
                held = _held(outer, _held(holder, statement))
                yield held.replace("{f}", draw.choice(paths))


def _held(holder: str, statement: str) -> str:
    return holder.replace("{}", statement).replace("{q}", statement.replace("'", "''"))


def calls(store: Store, draw: random.Random) -> Iterator[str]:
    """Each table function and pragma, and each function with side effects, with paths for texts."""
    with duckdb.connect() as shell:
        functions = shell.execute(FUNCTIONS).fetchall()
        effects = shell.execute(
            "select distinct function_name from duckdb_functions() where has_side_effects and function_type = 'scalar'"
        ).fetchall()
    for name, kind, types in functions:
        if kind not in ("table", "table_macro", "pragma"):
            continue
        for path in draw.sample(targets(store), 3):
            texts = {"VARCHAR": f"'{path}'", "VARCHAR[]": f"['{path}']", "BIGINT": "3", "BOOLEAN": "true"}
            arguments = ", ".join(texts.get(of, f"'{path}'") for of in types[:2])
            for form in ("from {}", "pragma {}", "call {}", "explain analyze from {}", "from query('from {}')"):
                for call in (f"{name}({arguments})", f"{name}({texts['VARCHAR']})", f"{name}()"):
                    yield form.format(call.replace("'", "''") if "query(" in form else call)
    for (name,) in effects:
        yield from (f"select {name}()", f"select {name}('{store.path}')", f"select {name}('alert_ids')")


def files(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


def test_every_type_of_statement_is_tried() -> None:
    found = set()
    for statement in STATEMENTS:
        # Some cannot be parsed without the file that they name.
        with suppress(duckdb.Error):
            found |= {one.type.name for one in duckdb.extract_statements(statement.replace("{f}", "x"))}
    # Types that no text has: names of DuckDB's own, and what only an extension can parse.
    unreachable = {
        "ANALYZE",
        "CREATE_FUNC",
        "EXTENSION",
        "INVALID",
        "LOGICAL_PLAN",
        "MULTI",
        "RELATION",
        "VARIABLE_SET",
    }
    types = set(duckdb.StatementType.__members__) - unreachable
    assert types - found - {"EXPLAIN"} == set()


def test_whatever_is_typed_changes_no_byte_and_reads_no_other_file(
    store: Store, record_property: Callable[[str, object], None]
) -> None:
    draw = random.Random(23)
    typed = [*statements(store, draw), *calls(store, draw)]
    typed = [attack.replace("{f}", str(store.path)) for attack in ATTACKS] + draw.sample(typed, count(80, 4000))
    folder, ended = store.path.parent, Counter[str]()
    before = files(folder)
    for sql in typed:
        try:
            answer = str(query.run(store, sql).rows)
            ended["answered"] += 1
        except StreammetricsError as error:
            answer = str(error)
        assert CANARY not in answer, sql
        assert "root:" not in answer, sql
        assert files(folder) == before, sql
    assert ended["answered"] > len(typed) // 100
    record_property("seen", f"{len(typed):,} statements, {ended['answered']:,} answered, no byte changed")
