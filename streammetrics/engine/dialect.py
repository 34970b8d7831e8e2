"""Translates the portable subset of SQL from DuckDB's dialect to Spark's."""

from collections.abc import Mapping

from streammetrics.errors import ConfigError

NEEDS_CLIENT = """[engine] kind = "spark" needs the Spark client: in the sources, pip install '.[spark]'"""

try:
    import sqlglot
    from sqlglot import exp
    from sqlglot.dialects.spark import Spark
except ImportError:
    raise ConfigError(NEEDS_CLIENT) from None


class _Nested(Spark):
    """sqlglot moves nested common table expressions to the top, where equal names collide; Spark can nest them."""

    class Generator(Spark.Generator):  # type: ignore[misc, valid-type]
        EXPRESSIONS_WITHOUT_NESTED_CTES: set[type[exp.Expression]] = set()  # noqa: RUF012 as in sqlglot


def parsed(text: str) -> exp.Query:
    """The syntax tree of one SELECT of the store."""
    tree = sqlglot.parse_one(text, read="duckdb")
    if not isinstance(tree, exp.Query):
        raise TypeError(f"is not a SELECT: {text[:80]}")
    return tree


def tables(tree: exp.Query) -> set[str]:
    """The names of tables in a statement, including common table expressions."""
    return {table.name for table in tree.find_all(exp.Table)}


def translated(tree: exp.Query, parameters: Mapping[str, object]) -> str:
    """The statement in Spark's SQL, with its parameters as literals; changes the tree.

    DuckDB divides as DOUBLE; Spark divides decimals as decimals, and cuts their digits.
    """
    for division in list(tree.find_all(exp.Div)):
        division.set("this", exp.cast(division.this, "double"))
        division.set("expression", exp.cast(division.expression, "double"))
    for table in tree.find_all(exp.Table):
        table.set("db", None)
    for parameter in list(tree.find_all(exp.Placeholder, exp.Parameter)):
        parameter.replace(exp.convert(parameters[parameter.name]))
    return tree.sql(_Nested)
