"""The inputs, the same bytes on each machine: a day of ten million records, and stores with a long or a short history.

`python -m bench.inputs day FILE`, `convert FILE CSV`, `minute FILE NUMBER`, `history STORE DAYS`,
`codes FILE CODES DAYS` or `more FILE CODES DAYS NUMBER LATE`, each as a process, for it holds DuckDB.
Codes are -17 to 26, their rates spread evenly on a log scale over 2.5 decades as those of real codes are; both builds
are alike, so that every alert is noise. Chance is a hash of the record's number: the same with any number of threads.
"""

import sys
from pathlib import Path

# A code's number has a geometric distribution, cut off after 44 codes.
_DRAWS = """
create temp macro drawn_build(i) as case when hash(i, 1) % 2 = 0 then '5.0007.510.011' else '5.0007.610.011' end;
create temp macro drawn_code(i) as cast(cast(floor(
    ln(1 - hash(i, 2) / 18446744073709551616.0 * (1 - pow(10, -2.5 / 43 * 44))) / ln(pow(10, -2.5 / 43))
) as bigint) - 17 as text);
"""

_RECORDS = """
copy (
    select
        strftime(timestamp '2026-01-05' + to_microseconds(i * 86400000000 // {a_day:d}), '%Y-%m-%d %H:%M:%S') as ts,
        drawn_build(i) as build, drawn_code(i) as code
    from range({first:d}, {after:d}) as records(i)
) to '{path}' (format csv, header)
"""

# Three of ten records are of twenty frequent codes, the others of any; as many a day as there are in the first day.
_CODES = """
copy (
    select
        strftime(timestamp '2026-01-05' + to_microseconds(i * 86400 * 1000000 // {a_day:d}), '%Y-%m-%d %H:%M:%S') as ts,
        drawn_build(i) as build,
        'E' || cast(floor(
            hash(i, 3) / 18446744073709551616.0
            * case when hash(i, 4) / 18446744073709551616.0 < 0.3 then least(20, {codes:d}) else {codes:d} end
        ) as bigint) as code
    from range({first:d}, {after:d}) as records(i)
    union all
    select strftime(timestamp '2026-01-05' + to_seconds({late_second:d}), '%Y-%m-%d %H:%M:%S'), '5.0007.510.011', 'E1'
    where {late_second:d} >= 0
) to '{path}' (format csv, header)
"""

CODES_RECORDS = 1_000_000
RECORDS = 10_000_000
HISTORY_RECORDS = 245_760
"""A day of the histories: two row groups of DuckDB, so that a year is made in a minute and needs no merging later."""

# The same day again and again, in order of time, as counters are.
_DAY = """
create temp table a_day as
select
    make_timestamp(i * 86400 // 245760 * 1000000) as since_midnight, drawn_build(i) as build, drawn_code(i) as code
from range(245760) as records(i)
"""

_COUNTERS = """
insert into counters
select since_midnight + (timestamp '2026-01-06' - timestamp '1970-01-01') - to_days($1), build, code, 1, 1 from a_day
"""

# Until 2026-01-06, where the minutes begin. A batch and a pass each minute, 1,000 alerts a day.
_HISTORY = (
    """insert into batches
    select
        nextval('batch_ids'), 'minutes', 'minute-' || i || '.csv', 0, 4800, md5(cast(i as text)), 0, 170, 0,
        make_timestamp(1767657600000000 + i * 60000000), make_timestamp(1767657659000000 + i * 60000000),
        make_timestamp(1767657661000000 + i * 60000000), null
    from range({days} * -1440, 0) as minutes(i)""",
    """insert into runs
    select
        nextval('run_ids'), loaded_at, loaded_at, 'done', min_ts, max_ts, max_ts, rules.settings_hash, 0, 0, 0, null
    from batches cross join (select min(settings_hash) as settings_hash from rules) as rules order by batch_id""",
    """insert into alerts
    select
        alert_id, 'ratio', 'mean_ratio', '5.0007.510.011', '5.0007.610.011', code, stop_ts - interval 40 second,
        stop_ts, 10, 5, 1.5, 1.25, 9, 12, 1.333333, null, null, 'current', 0, 1, stop_ts, stop_ts,
        stop_ts + interval 10 second, alert_id, null, null, null
    from (
        select
            nextval('alert_ids') as alert_id, drawn_code(i) as code,
            make_timestamp(1767657600000000 + i * 86400000 // 10000000 * 10000000) as stop_ts
        from range({days} * -1000, -10) as alerts(i)
    )""",
    """insert into progress
    select
        rule, '5.0007.510.011', '5.0007.610.011', settings_hash, timestamp '2026-01-05 23:59:00',
        timestamp '2026-01-05 23:59:00', (select max(batch_id) from batches), false
    from rules group by rule, settings_hash""",
)


def write_records(path: str, first: int, after: int, a_day: int) -> None:
    """The records with these numbers, of a stream with so many a day that begins on 2026-01-05."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(_DRAWS)
        connection.execute(_RECORDS.format(path=path, first=first, after=after, a_day=a_day))


def write_codes(path: str, codes: int, days: int, minute: int | None = None, late_seconds: int = 0) -> None:
    """A million records in so many days from 2026-01-05 on; or those of a minute after them, one of them late."""
    import duckdb

    a_day = CODES_RECORDS // days
    begin = 0 if minute is None else CODES_RECORDS + minute * a_day // 1440
    end = CODES_RECORDS if minute is None else begin + a_day // 1440
    late_second = days * 86400 + 60 * (minute or 0) - late_seconds if late_seconds else -1
    bounds = {"first": begin, "after": end, "a_day": a_day, "codes": codes, "late_second": late_second}
    with duckdb.connect() as connection:
        connection.execute(_DRAWS)
        connection.execute(_CODES.format(path=path, **bounds))


def convert(path: str, source: str) -> None:
    """The records of a CSV in the format that the suffix says."""
    import duckdb

    columns = "{'ts': 'TIMESTAMP', 'build': 'TEXT', 'code': 'TEXT'}"
    if path.endswith("jsonl.part"):
        columns, kind = columns.replace("TIMESTAMP", "TEXT"), "json"
    else:
        kind = "parquet"
    with duckdb.connect() as connection:
        records = f"from read_csv('{source}', header = true, columns = {columns})"
        connection.execute(f"copy ({records}) to '{path}' (format {kind})")


def make_history(path: str, days: int) -> None:
    """A store that has been fed and judged each minute for so many days, up to 2026-01-06; without the events."""
    from streammetrics import config
    from streammetrics.store import builds, settings_tables, views
    from streammetrics.store.connection import Store

    with Store(Path(path)).write() as connection, connection.begin():
        views.publish(connection)
        settings_tables.replace(connection, config.load(Path(path).with_suffix(".toml"), {}), ())
        for statement in _DRAWS.split(";\n")[:-1]:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(_DAY)
        for day in range(days, 0, -1):
            connection.exec_driver_sql(_COUNTERS, (day,))
        builds.rebuild(connection)
        for statement in _HISTORY:
            connection.exec_driver_sql(statement.format(days=days))


if __name__ == "__main__":
    what, target, *numbers = sys.argv[1:]
    if what == "day":
        write_records(target, 0, RECORDS, RECORDS)
    elif what == "convert":
        convert(target, numbers[0])
    elif what == "minute":
        minute = HISTORY_RECORDS + int(numbers[0]) * HISTORY_RECORDS // 1440
        write_records(target, minute, minute + HISTORY_RECORDS // 1440, HISTORY_RECORDS)
    elif what in ("codes", "more"):
        write_codes(target, *map(int, numbers))
    else:
        make_history(target, int(numbers[0]))
