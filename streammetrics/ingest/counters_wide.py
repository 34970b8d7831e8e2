"""`counters_wide`: errors per second with a column per build and code, as people export it.

This is the only generated SQL of the store, because DuckDB allows no PIVOT with open columns in a view. SQLAlchemy
generates it, because builds and codes come from clients and must be quoted.
"""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Connection, DateTime, Text, and_, case, cast, column, func, select, table

from streammetrics.store import builds
from streammetrics.store.builds.order import family, version_key
from streammetrics.store.statements import run

MOST_COLUMNS = 1000

Pair = tuple[str, str]


def publish(connection: Connection) -> str:
    """Recreate the view from `codes`, in the caller's transaction; returns a note if columns are left out, else ''."""
    # Count first: thousands of builds with thousands of codes are more pairs than fit into memory.
    total = int(connection.exec_driver_sql("select count(*) from codes").scalar_one())
    if total <= MOST_COLUMNS:
        found = connection.exec_driver_sql("select build, code from codes")
    else:
        found = run(connection, "jobs/most_frequent_pairs", {"most": MOST_COLUMNS})
    pairs: list[Pair] = [(build, code) for build, code in found]
    connection.exec_driver_sql(f"create or replace view counters_wide as {_text(connection, ordered(pairs))}")
    if total > MOST_COLUMNS:
        return f"counters_wide shows the {MOST_COLUMNS:,} most frequent of {total:,} pairs of build and code"
    return ""


def ordered(pairs: Iterable[Pair]) -> list[Pair]:
    """Pairs by family and version, then by code."""
    found = list(pairs)
    places = {code: place for place, code in enumerate(builds.ordered_codes(code for _, code in found))}
    return sorted(found, key=lambda pair: (family(pair[0]), version_key(pair[0]), pair[0], places[pair[1]]))


def names(pairs: Iterable[Pair]) -> list[str]:
    """A column name for each pair. DuckDB ignores case: names that would be equal get a number."""
    taken: set[str] = set()
    found = []
    for build, code in pairs:
        plain = name = f"{build}_{code}"
        number = 2
        while name.casefold() in taken:
            name = f"{plain} ({number})"
            number += 1
        taken.add(name.casefold())
        found.append(name)
    return found


def _text(connection: Connection, pairs: list[Pair]) -> str:
    """The view as SQL, every name and value quoted by the database's own rules."""
    second, errors = column("second", DateTime), column("errors", BigInteger)
    build, code = column("build", Text), column("code", Text)
    sums = []
    for (build_name, code_name), name in zip(pairs, names(pairs), strict=True):
        is_pair = and_(build == build_name, code == code_name)
        sums.append(cast(func.sum(case((is_pair, errors), else_=0)), BigInteger).label(name))
    wide = select(second, *sums).select_from(table("counters")).group_by(second).order_by(second)
    return str(wide.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
