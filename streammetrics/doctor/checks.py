"""The store against its own ledger: queries that return no row where all is well, else what is wrong in words.

Each reads whole tables, and keeps of them a row a batch, a build, or a build and code in a minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from streammetrics import builds, views
from streammetrics.builds import ESTABLISHED_RECORDS, ESTABLISHED_SECONDS, codes
from streammetrics.doctor import sums
from streammetrics.doctor.findings import MOST_ROWS, REPAIR, RESTORE, Finding

SET_CLOCK = "set the clock; until it has caught up, records count as of the future from that time on"

_EVENTS = """
select format('batch {} of {}: the ledger says {} records, stored are {}', batch_id, path, records, events)
from batch_sums where records <> events + gone_events
"""

_TIMES = """
select format('batch {} of {}: its first or last record is not that of the ledger', batch_id, path)
from batch_sums where records = events + gone_events and not is_timed
"""

_COUNTERS = """
select format('batch {} of {}: {} records, its counters add up to {} or are others', batch_id, path, records, errors)
from batch_sums where records = events + gone_events and not is_counted
"""

_REJECTS = """
select format('batch {} of {}: the ledger says {} rejects, stored are {}', batch_id, path, rejected, rejects)
from batch_sums where rejected <> rejects + gone_rejects
"""

_ORPHANS = """
select format('batch {} is not in the ledger: {} records, {} counted, {} rejects', batch_id, events, errors, rejects)
from batch_sums where records is null
"""

_STRAYS = """
select format('{} tells of batch {}, which is not in the ledger', relation, batch_id)
from (
    select 'contents' as relation, batch_id from contents
    union
    select 'replaced', batch_id from replaced
    union
    select 'cursor_marks', batch_id from cursor_marks
    union
    select 'cursor_rows', batch_id from cursor_rows
)
where batch_id not in (select batch_id from batches)
union all
select distinct format('alert_revisions tells of alert {}, which is not there', alert_id)
from alert_revisions where alert_id not in (select alert_id from alerts)
"""

_TWICE = """
select format('batch {} is in the ledger {} times', batch_id, count(*))
from batches group by batch_id having count(*) > 1
"""

_BUILDS = """
with counted as (
    select
        counters.build, min(second) as first_second, max(second) as last_second, sum(errors) as records,
        coalesce(sum(errors) filter (second < since_second), 0) as before,
        sum(errors) filter (second <= since_second) as until,
        min(second) filter (second >= builds.first_second + to_seconds($spanned)) as spanned_second
    from counters left join builds using (build)
    group by counters.build
)
select format('build {}: first, last or established second are not those of its counters', build)
from builds full join counted using (build)
where
    not exists (select * from removed where counters > 0)
    and (
        builds.first_second is distinct from counted.first_second
        or builds.last_second is distinct from counted.last_second
        or (since_second is null and records >= $established and spanned_second is not null)
        or not coalesce(
            since_second >= spanned_second and until >= $established
            and (since_second = spanned_second or before < $established), since_second is null
        )
    )
union all
select format('build {}: its records in the hour from epoch second {} are not those counted', build, hour_second)
from build_hours
full join (
    select build, cast(floor(epoch(second) / 3600) as bigint) * 3600 as hour_second, sum(errors)::bigint as records
    from counters group by all
) as counted using (build, hour_second)
where not exists (select * from removed where counters > 0) and build_hours.records is distinct from counted.records
"""

_CODES = """
select format('build {}, code {}: is counted and not listed, or listed and not counted', build, code)
from (select build, code, true as is_counted from codes_counted)
full join (select build, code, count(*) as rows from codes group by build, code) using (build, code)
where
    (is_counted is null and not exists (select * from removed where counters > 0))
    or rows is null or rows > 1
union all
select format('build {}, code {}: errors, seconds, the first or the last are not those of its counters', build, code)
from codes inner join codes_counted as counted using (build, code)
where
    case
        when exists (select * from removed where counters > 0)
            then not coalesce(
                codes.first_second <= counted.first_second and codes.last_second >= counted.last_second
                and codes.errors >= counted.errors and codes.seconds >= counted.seconds, false
            )
        else
            (codes.first_second, codes.last_second, codes.errors, codes.seconds, codes.repeat_batch_id)
            is distinct from (
                counted.first_second, counted.last_second, counted.errors, counted.seconds, counted.repeat_batch_id
            )
    end
"""

_INCIDENTS = """
select format('incident {}: has alerts of more than one code, rule or comparison', incident_id)
from alerts group by incident_id having count(distinct (rule, baseline, candidate, code)) > 1
"""

_ALERTS = """
select format('alert {} is there {} times', alert_id, count(*)) from alerts group by alert_id having count(*) > 1
union all
select format('alert {}: its state is {}', alert_id, state) from alerts where state not in ('current', 'retracted')
union all
select format('alert {}: it does not end a bin after its last bin begins', alert_id)
from alerts where end_ts <> stop_ts + to_seconds(bin_seconds)
union all
select format('alert {}: there is no run {} that it was found by', alert_id, run_id)
from alerts where run_id not in (select run_id from runs)
union all
select format(
    'alerts {} are one: rule {}, {} to {}, code {}, until {}',
    list(alert_id)::text, rule, baseline, candidate, code, stop_ts::text
)
from alerts where state = 'current'
group by
    rule, baseline, candidate, code, stop_ts, case when detector = 'sequential' then 0 else window_bins end
having count(*) > 1
"""

_PROGRESS = """
select format('rule {} knows batch {}, which is not in the ledger yet', rule, seen_batch_id)
from progress where seen_batch_id > (select coalesce(max(batch_id), 0) from batches)
group by rule, seen_batch_id
"""

_CLOCK = """
select format('the last file was loaded at {}, and the clock says {}', loaded_at::text, $now::timestamp::text)
from (select max(loaded_at) as loaded_at from batches)
where loaded_at > $now::timestamp + interval 1 hour
"""

# What has been replayed from the log is not told by duckdb_sequences(): these are known after a clean end only.
_SEQUENCES = """
with used as (
    select 'batch_ids' as sequence_name, max(batch_id) as most from batches
    union all
    select 'run_ids', max(run_id) from runs
    union all
    select 'alert_ids', max(alert_id) from alerts
    union all
    select 'incident_ids', max(incident_id) from alerts
)
select format('sequence {}: gives {} next, and {} is in use', sequence_name, last_value, most)
from used inner join duckdb_sequences() using (sequence_name)
where last_value <= most
"""


@dataclass(frozen=True)
class _Check:
    name: str
    sql: str
    advice: str


_CHECKS = (
    _Check("records", _EVENTS, RESTORE),
    _Check("times", _TIMES, RESTORE),
    _Check("orphans", _ORPHANS, RESTORE),
    _Check("ledger", _TWICE, RESTORE),
    _Check("ledger", _STRAYS, RESTORE),
    _Check("rejects", _REJECTS, RESTORE),
    _Check("counters", _COUNTERS, REPAIR),
    _Check("codes", _CODES, REPAIR),
    _Check("incidents", _INCIDENTS, RESTORE),
    _Check("alerts", _ALERTS, RESTORE),
    _Check("progress", _PROGRESS, REPAIR),
)


def check(connection: Connection, now: datetime, *, has_log: bool) -> Iterator[Finding]:
    """Everything that the store says of itself; `has_log`: its last process did not end cleanly."""
    _read_all(connection)
    sums.add_up(connection)
    codes.count(connection)
    for one in _CHECKS:
        yield from _told(connection, one)
    established = {"established": ESTABLISHED_RECORDS, "spanned": ESTABLISHED_SECONDS}
    yield from _told(connection, _Check("builds", _BUILDS, REPAIR), **established)
    if not has_log:
        yield from _told(connection, _Check("sequences", _SEQUENCES, RESTORE))
    yield from _told(connection, _Check("clock", _CLOCK, SET_CLOCK), now=now)
    yield from _ranks(connection)
    yield from _views(connection)


def _told(connection: Connection, one: _Check, **parameters: object) -> Iterator[Finding]:
    rows = connection.exec_driver_sql(one.sql, parameters).fetchmany(MOST_ROWS + 1)
    for (what,) in rows[:MOST_ROWS]:
        yield Finding(one.name, what, one.advice)
    if len(rows) > MOST_ROWS:
        yield Finding(one.name, "and more of them", one.advice)


def _read_all(connection: Connection) -> None:
    """Have DuckDB compare every block with its checksum; a block that is damaged is its error."""
    tables = connection.exec_driver_sql("select table_name from duckdb_tables() where not internal and not temporary")
    for name in tables.scalars().all():
        quoted = connection.dialect.identifier_preparer.quote_identifier(name)
        connection.exec_driver_sql(f"select bit_xor(hash({quoted})) from {quoted}").all()  # noqa: S608 of the catalogue


def _ranks(connection: Connection) -> Iterator[Finding]:
    rows = connection.exec_driver_sql("select build, family, ordered_by from builds order by version_rank").all()
    for found, (build, *place) in zip(builds.in_order_of(connection), rows, strict=True):
        if (build, place) != (found.build, [found.family, found.ordered_by]):
            yield Finding(
                "builds", f"builds {build} and {found.build}: their order is not that of the settings", REPAIR
            )
            return


def _views(connection: Connection) -> Iterator[Finding]:
    if connection.exec_driver_sql("select views_hash from store_info").scalar_one() != views.published_hash():
        # Of an earlier version, or never made: the next pass does.
        return
    found = set(connection.exec_driver_sql("select view_name from duckdb_views() where not internal").scalars())
    for name in views.relations():
        if name not in found:
            yield Finding("views", f"view {name} is missing", REPAIR)
