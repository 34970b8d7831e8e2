"""The order of builds, and the relation `builds` that carries it."""

import re

from sqlalchemy import Connection

from streammetrics import codes

ESTABLISHED_RECORDS = 20
"""So many records make a build one that others are compared with: a developer's stray record does not."""

# Most builds have them within minutes: only for the others their whole history is read.
_HORIZONS_SECONDS = (600, 400 * 366 * 86_400)

_PRE_RELEASES = frozenset(
    {"alpha", "beta", "canary", "cr", "dev", "milestone", "nightly", "pre", "preview", "rc", "snapshot"}
)
_LEADING_V = re.compile(r"^[vV](?=[0-9])")
_RUN = re.compile(r"[0-9]+|[^0-9.\-_+~ ]+")
_PRE_RELEASE, _END, _TEXT, _NUMBER = range(4)

_Token = tuple[int, int, str]
VersionKey = tuple[tuple[_Token, ...], str]


def version_key(build: str) -> VersionKey:
    """The place of a build in natural version order: 5.9 < 5.10-beta.2 < 5.10-rc1 < 5.10 < 5.10.1.

    Runs of digits are compared as numbers, of whatever length; runs of text as text, without regard to case; separators
    only separate. A pre-release comes before what it leads to, and a leading `v` is no part of the version. Builds that
    are equal in this differ by their text.
    """
    return (*map(_token, _RUN.findall(_LEADING_V.sub("", build))), (_END, 0, "")), build


def _token(run: str) -> _Token:
    if run[0] in "0123456789":
        digits = run.lstrip("0")
        # The longer number is the greater one. Python refuses to read numbers of thousands of digits.
        return _NUMBER, len(digits), digits
    text = run.casefold()
    return (_PRE_RELEASE if text in _PRE_RELEASES else _TEXT), 0, text


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
select build, 0, min(first_second), null, max(last_second)
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
    select build, min(second) as since_second
    from (
        select build, second, sum(errors) over (partition by build order by second) as records
        from (
            select build, unnest(earliest).second as second, unnest(earliest).errors as errors
            from (
                select
                    counters.build,
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
    where records >= $established
    group by build
) as settled
where builds.build = settled.build
returning builds.build
"""

_RANK = """
update builds
set version_rank = ranked.version_rank
from (select unnest($builds) as build, unnest($ranks) as version_rank) as ranked
where builds.build = ranked.build and builds.version_rank <> ranked.version_rank
"""


def update_builds(connection: Connection, batch_id: int) -> bool:
    """Make `builds` and `codes` say what all counters say, the newest batches included; in the caller's transaction.

    These are the batch `batch_id` and what came after it.

    What they say is a function of the counters alone, whatever the order in which batches came. Returns whether a pair
    of build and code appeared that was not known.
    """
    has_new_pair = codes.add(connection, batch_id)
    connection.exec_driver_sql(_EXTEND)
    if connection.exec_driver_sql(_NEW_BUILDS).first() is not None:
        rank(connection)
    connection.exec_driver_sql(_UNSETTLED)
    for horizon in _HORIZONS_SECONDS:
        _settle(connection, horizon)
    connection.exec_driver_sql("drop table arrived")
    connection.exec_driver_sql("drop table unsettled")
    return has_new_pair


def _settle(connection: Connection, horizon: int) -> None:
    """Set `since_second` of the builds that were established within so many seconds of their first record."""
    first, last = connection.exec_driver_sql(_SPAN, {"horizon": horizon}).one()
    if first is None:
        return
    span = {"first_second": first, "last_second": last, "horizon": horizon, "established": ESTABLISHED_RECORDS}
    settled = [build for (build,) in connection.exec_driver_sql(_SETTLE, span)]
    connection.exec_driver_sql("delete from unsettled where build in (select unnest($settled))", {"settled": settled})


def rebuild(connection: Connection) -> None:
    """Make both anew from nothing but the counters."""
    connection.exec_driver_sql("delete from codes")
    connection.exec_driver_sql("delete from builds")
    update_builds(connection, 0)


def rank(connection: Connection) -> None:
    """Number all builds by their order, in the caller's transaction."""
    builds = sorted((build for (build,) in connection.exec_driver_sql("select build from builds")), key=version_key)
    connection.exec_driver_sql(_RANK, {"builds": builds, "ranks": list(range(1, len(builds) + 1))})
