"""Files of a day, an hour each; rates are the same in all of them, whatever the number of records."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

DAY = datetime(2026, 11, 23, tzinfo=UTC)
HOURS = 24

_RECORDS = Path(__file__).with_name("records.sql")


def write_hours(folder: Path, first: int, hours: int, records: int, codes: int, suffix: str) -> None:
    """Write `hours` files, from hour `first` of the day on, `records` in each, as csv or parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    text = _RECORDS.read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for hour in range(first, first + hours):
            path = folder / f"{hour:05}.{suffix}"
            if not path.exists():
                start = int(DAY.timestamp() + hour * 3600) * 1_000_000
                parameters = {"start": start, "first_record": hour * records, "records": records, "codes": codes}
                found, part = connection.sql(text, params=parameters), path.with_suffix(".part")
                if suffix == "csv":
                    found.write_csv(str(part), header=True, timestamp_format="%Y-%m-%dT%H:%M:%S.%gZ")
                else:
                    found.write_parquet(str(part), compression="zstd")
                part.rename(path)


def counters(store: Path) -> int:
    """How many counters are in a store."""
    with duckdb.connect(store, read_only=True) as connection:
        return int(connection.sql("select count(*) from counters").fetchall()[0][0])
