"""Files of a day, an hour each; rates are the same in all of them, whatever the number of records."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

DAY = datetime(2026, 11, 23, tzinfo=UTC)
HOURS = 24

# Of code n so many errors as of code 0 by 1 / (n + 1); two builds share them evenly. Records are in order of time.
# No hour repeats another: what is chance in one would be evidence in all.
_RECORDS = """
    copy (
        select
            make_timestamp({first_us} + (i - {first}) * 3600000000 // {records}) as ts,
            case when hash(i, 1) % 2 = 0 then '5.9' else '5.10' end as build,
            'E' || cast(floor(pow({codes}, hash(i, 2) / 18446744073709551616.0)) as integer) as code
        from range({first}, {first} + {records}) as numbers (i)
    ) to '{path}' ({options})
"""


def write_hours(folder: Path, first: int, hours: int, records: int, codes: int, suffix: str) -> None:
    """Write `hours` files, from hour `first` of the day on, `records` in each, as csv or parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    options = (
        "format csv, header, timestampformat '%Y-%m-%dT%H:%M:%S.%gZ'"
        if suffix == "csv"
        else "format parquet, compression zstd"
    )
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for hour in range(first, first + hours):
            path = folder / f"{hour:05}.{suffix}"
            if not path.exists():
                first_us = int(DAY.timestamp() + hour * 3600) * 1_000_000
                part = path.with_suffix(".part")
                text = _RECORDS.format(
                    first_us=first_us, first=hour * records, records=records, codes=codes, path=part, options=options
                )
                connection.execute(text)
                part.rename(path)


def counters(store: Path) -> int:
    """How many counters are in a store."""
    with duckdb.connect(store, read_only=True) as connection:
        return int(connection.sql("select count(*) from counters").fetchall()[0][0])
