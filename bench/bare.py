"""`python -m bench.bare FILE STORE MEMORY_LIMIT`: what ingest is compared with."""

import sys
from pathlib import Path

import duckdb


def load_barely(path: str, store: str, memory_limit: str) -> None:
    """DuckDB alone inserts the columns of ingest, and the counters ordered by second, in one transaction.

    The types are given, so that nothing is guessed; nothing is checked, and nobody knows afterwards what was loaded.
    """
    with duckdb.connect(store, config={"memory_limit": memory_limit}) as connection:
        connection.execute("create table events (ts timestamp, build text, code text)")
        connection.execute("create table counters (second timestamp, build text, code text, errors bigint)")
        connection.execute("begin")
        columns = "columns = {'ts': 'TIMESTAMP', 'build': 'TEXT', 'code': 'TEXT'}"
        found = {
            ".csv": f"read_csv('{path}', header = true, {columns})",
            ".jsonl": f"read_json('{path}', format = 'newline_delimited', {columns})",
            ".parquet": f"read_parquet('{path}')",
        }
        connection.execute(f"insert into events from {found[Path(path).suffix]}")
        connection.execute(
            "insert into counters select date_trunc('second', ts) as second, build, code, count(*) from events\n"
            "group by all order by second"
        )
        connection.execute("commit")


if __name__ == "__main__":
    load_barely(*sys.argv[1:])
