"""What each build has sent, in the tables `builds`, `build_hours` and `codes`; and the order of builds.

Ingest brings them up to date in the transaction of its counters. They follow from all counters that were ever stored,
whatever the order of batches.
"""

from sqlalchemy import Connection

from streammetrics.builds import codes
from streammetrics.builds.order import Build, Place, in_order

ESTABLISHED_RECORDS = 20
ESTABLISHED_SECONDS = 30
"""So many records that span so many seconds make a build one that is compared: a developer's stray record does not."""

# Most builds have them within minutes: only for the others their whole history is read.
_HORIZONS_SECONDS = (600, 400 * 366 * 86_400)

_EXTEND = """
update builds
set
    first_second = least(builds.first_second, found.first_second),
    last_second = greatest(builds.last_second, found.last_second)
from (
    select build, min(first_second) as first_second, max(last_second) as last_second from arrived group by build
) as found
where builds.build = found.build
"""

_NEW_BUILDS = """
insert into builds
select build, 0, min(first_second), null, max(last_second), '', 'first_seen'
from arrived
where build not in (select build from builds)
group by build
returning build
"""

# Records at or after the second by which a build was established do not move it; earlier ones may.
_UNSETTLED = """
create or replace temp table unsettled as
select builds.build, builds.first_second, coalesce(builds.since_second, builds.last_second) as until_second
from builds
where
    builds.build in (select build from arrived)
    and (
        builds.since_second is null
        or builds.since_second > (select min(arrived.first_second) from arrived where arrived.build = builds.build)
    )
"""

_SPAN = "select min(first_second), max(least(until_second, first_second + to_seconds($horizon))) from unsettled"

# Each counter is at least one record: of a build's earliest counters no more are needed than records.
_SETTLE = """
update builds
set since_second = settled.since_second
from (
    select build, greatest(min(second), any_value(spanned_second)) as since_second
    from (
        select
            build, spanned_second, second, sum(errors) over (partition by build order by second) as records
        from (
            select
                build, spanned_second, unnest(earliest).second as second, unnest(earliest).errors as errors
            from (
                select
                    counters.build,
                    min(counters.second) filter (
                        counters.second >= unsettled.first_second + to_seconds($spanned)
                    ) as spanned_second,
                    arg_min({second: counters.second, errors: counters.errors}, counters.second, $established)
                        as earliest
                from counters
                inner join unsettled
                    on counters.build = unsettled.build
                    and counters.second <= least(unsettled.until_second, unsettled.first_second + to_seconds($horizon))
                where counters.second >= $first_second and counters.second <= $last_second
                group by counters.build
            )
        )
    )
    where records >= $established and spanned_second is not null
    group by build
) as settled
where builds.build = settled.build
returning builds.build
"""

_HOURS = """
create or replace temp table arrived_hours as
select build, cast(floor(epoch(second) / 3600) as bigint) * 3600 as hour_second, sum(errors)::bigint as records
from counters
where batch_id >= $batch_id
group by all
"""
_KNOWN_HOURS = """
update build_hours set records = build_hours.records + arrived_hours.records
from arrived_hours
where build_hours.build = arrived_hours.build and build_hours.hour_second = arrived_hours.hour_second
"""
_NEW_HOURS = """
insert into build_hours
select build, hour_second, records from arrived_hours anti join build_hours using (build, hour_second)
"""

_ORDER = "select coalesce(any_value(builds_order), 'auto') from settings"
_APPEARED = "select build, coalesce(since_second, timestamp '9999-12-31') from builds"
_PLACE = """
update builds
set version_rank = placed.version_rank, family = placed.family, ordered_by = placed.ordered_by
from (
    select
        unnest($builds) as build, unnest($ranks) as version_rank, unnest($families) as family,
        unnest($reasons) as ordered_by
) as placed
where
    builds.build = placed.build
    and (builds.version_rank, builds.family, builds.ordered_by)
    is distinct from (placed.version_rank, placed.family, placed.ordered_by)
"""


def update(connection: Connection, batch_id: int) -> bool:
    """Make the tables say what all counters say, the newest batches included; in the caller's transaction.

    These are the batch `batch_id` and what came after it. Returns whether a pair of build and code appeared that was
    not known.
    """
    has_new_pair = codes.add(connection, batch_id)
    for statement in (_HOURS, _KNOWN_HOURS, _NEW_HOURS):
        connection.exec_driver_sql(statement, {"batch_id": batch_id} if statement is _HOURS else {})
    connection.exec_driver_sql(_EXTEND)
    is_moved = connection.exec_driver_sql(_NEW_BUILDS).first() is not None
    connection.exec_driver_sql(_UNSETTLED)
    for horizon in _HORIZONS_SECONDS:
        is_moved |= _settle(connection, horizon)
    if is_moved:
        place(connection)
    for name in ("arrived", "arrived_hours", "unsettled"):
        connection.exec_driver_sql(f"drop table {name}")
    return has_new_pair


def rebuild(connection: Connection) -> None:
    """Make all anew from nothing but the counters."""
    for name in ("codes", "build_hours", "builds"):
        connection.exec_driver_sql(f"delete from {name}")  # noqa: S608 these
    update(connection, 0)


def place(connection: Connection) -> None:
    """Make `builds` say how builds are ordered, and within which family; in the caller's transaction."""
    places = in_order_of(connection)
    connection.exec_driver_sql(
        _PLACE,
        {
            "builds": [one.build for one in places],
            "families": [one.family for one in places],
            "reasons": [one.ordered_by for one in places],
            "ranks": list(range(1, len(places) + 1)),
        },
    )


def in_order_of(connection: Connection) -> list[Place]:
    """All builds of the store in the order that its settings ask for; before the first pass in that of `auto`."""
    order = connection.exec_driver_sql(_ORDER).scalar_one()
    return in_order((Build(*row) for row in connection.exec_driver_sql(_APPEARED)), order)


def _settle(connection: Connection, horizon: int) -> bool:
    """Set `since_second` of the builds that were established within so many seconds of their first record."""
    first, last = connection.exec_driver_sql(_SPAN, {"horizon": horizon}).one()
    if first is None:
        return False
    span = {"first_second": first, "last_second": last, "horizon": horizon}
    established = {"established": ESTABLISHED_RECORDS, "spanned": ESTABLISHED_SECONDS}
    settled = [build for (build,) in connection.exec_driver_sql(_SETTLE, {**span, **established})]
    connection.exec_driver_sql("delete from unsettled where build in (select unnest($settled))", {"settled": settled})
    return bool(settled)
