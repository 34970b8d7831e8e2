"""The portable subset as Spark executes it; that Spark executes it, test_spark.py shows."""

from streammetrics.engine import dialect


def spark(text: str, **parameters: int) -> str:
    return dialect.translated(dialect.parsed(text), parameters)


def test_a_division_is_of_doubles_as_in_duckdb() -> None:
    assert spark("select a / b as c from t") == "SELECT CAST(a AS DOUBLE) / CAST(b AS DOUBLE) AS c FROM t"


def test_nested_common_table_expressions_stay_where_they_are() -> None:
    text = "with a as (with b as (select 1 as x) select x from b), b as (select 2 as x) select * from a, b"
    assert spark(text).startswith("WITH a AS (WITH b AS (")


def test_parameters_are_literals() -> None:
    assert spark("select a from t where a > $after", after=-5) == "SELECT a FROM t WHERE a > -5"


def test_tables_of_the_store_are_named_without_their_schema() -> None:
    tree = dialect.parsed("select second from main.counters")
    assert dialect.tables(tree) == {"counters"}
    assert dialect.translated(tree, {}) == "SELECT second FROM counters"
