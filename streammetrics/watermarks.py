"""How far pairs are judged, and how far their incidents are settled: the tables `progress` and `pauses`.

Silence is no health. While a build of a pair is silent, or the pair has no place, its bins are not judged, and time
stands still for its incidents: `settled_until` is how far the pair was judged, less the pauses without which an
incident would not be over. An incident is over where it ended `merge_seconds` before that.
"""

from sqlalchemy import Connection

from streammetrics.views import LAST_SECOND, Slice, compose

_HEARD = "select build, second, records from heard_seconds"
_SILENCES = "select build, from_second, until_second from silences"

# Of the pairs of a portion the stretches in which they are not judged: a build is silent, or others have the places.
_SILENT = """
create or replace temp table silent as
with stretches as (
    select
        pairs.baseline, pairs.candidate, greatest(gaps.from_second, $after::bigint, opened_second) as from_second,
        gaps.until_second
    from compared_pairs as pairs
    semi join portion_scopes using (baseline, candidate)
    inner join silences as gaps on gaps.build in (pairs.baseline, pairs.candidate)
    where gaps.until_second > greatest($after::bigint, opened_second)
    union all
    select baseline, candidate, greatest(block_second, $after::bigint, opened_second), block_second + 600
    from kept_places
    inner join compared_pairs using (pair_id)
    semi join portion_scopes using (baseline, candidate)
    where not is_compared and block_second + 600 > greatest($after::bigint, opened_second)
),
reaches as (
    select
        *, max(until_second) over (
            partition by baseline, candidate
            order by from_second, until_second rows between unbounded preceding and 1 preceding
        ) as reach
    from stretches
),
islands as (
    select
        *, sum(case when from_second <= reach then 0 else 1 end) over (
            partition by baseline, candidate order by from_second, until_second
        ) as island
    from reaches
)
select
    baseline, candidate, make_timestamp(min(from_second) * 1000000) as from_ts,
    make_timestamp(max(until_second) * 1000000) as until_ts
from islands
group by baseline, candidate, island
"""

# A pause that goes on stays one row, however many passes it takes.
_PAUSE = (
    """
    update pauses set until_ts = silent.until_ts
    from silent
    where
        pauses.baseline = silent.baseline and pauses.candidate = silent.candidate and pauses.until_ts = silent.from_ts
    """,
    "insert into pauses from silent anti join pauses using (baseline, candidate, until_ts)",
)

# Of what was known of the scope nothing stays; what lies behind it is cut off, for the next portion knows better.
_RESUME = (
    """
    delete from pauses
    where from_ts >= make_timestamp($after::bigint * 1000000) and exists (
        select 1 from portion_scopes as scoped
        where scoped.baseline = pauses.baseline and scoped.candidate = pauses.candidate
    )
    """,
    """
    update pauses set until_ts = make_timestamp($after::bigint * 1000000)
    where until_ts > make_timestamp($after::bigint * 1000000) and exists (
        select 1 from portion_scopes as scoped
        where scoped.baseline = pauses.baseline and scoped.candidate = pauses.candidate
    )
    """,
)

_PAIRS = """
select * from compared_pairs
where
    until_second > {from_second:d}
    and pair_id not in (select pair_id from kept_places group by pair_id having not bool_or(is_compared))
"""

# A pair that does not compete for a place is what it was.
_PLACE = """
update pass_scopes
set is_displaced = found.is_displaced
from (
    select baseline, candidate, arg_max(not is_compared, block_second) as is_displaced
    from kept_places
    inner join compared_pairs using (pair_id)
    group by baseline, candidate
) as found
where pass_scopes.baseline = found.baseline and pass_scopes.candidate = found.candidate
"""

_FORGET = "delete from progress where rule in (select rule from rules)"

# What a pass has not reached stays to be judged, so that the next makes up for one that was cut short. A final pass
# counts for no more than the records show: they may come after all. A pair that is compared no more is remembered until
# a pass is through; where it is compared again before that, from its beginning. Of the pauses those hold up what is
# settled that less than merge_seconds were judged after.
_REMEMBER = """
insert into progress
with reached as (
    select
        rule, baseline, candidate, settings_hash,
        case
            when complete_until is null then -62135596800
            else greatest(judged_after, least(complete_until, $reached))
        end as judged_until,
        coalesce(is_displaced or not is_current, true) as is_superseded
    from pass_scopes
    where complete_until is not null or $reached < $all
),
known as (
    select
        reached.rule, reached.baseline, reached.candidate, reached.judged_until,
        epoch(pauses.from_ts)::bigint as from_second,
        least(epoch(pauses.until_ts)::bigint, reached.judged_until) as until_second
    from reached
    inner join pauses using (baseline, candidate)
    where epoch(pauses.from_ts) < reached.judged_until
),
followed as (
    select
        rule, baseline, candidate, until_second - from_second as seconds,
        judged_until - until_second - coalesce(sum(until_second - from_second) over (
            partition by rule, baseline, candidate
            order by from_second desc rows between unbounded preceding and 1 preceding
        ), 0) as judged_seconds
    from known
),
paused as (
    select rule, baseline, candidate, sum(seconds)::bigint as seconds
    from followed cross join settings
    where judged_seconds < merge_seconds
    group by rule, baseline, candidate
)
select
    reached.rule, reached.baseline, reached.candidate, reached.settings_hash,
    make_timestamp(reached.judged_until * 1000000),
    make_timestamp((reached.judged_until - coalesce(paused.seconds, 0)) * 1000000),
    (select coalesce(max(batch_id), 0) from batches), reached.is_superseded
from reached
left join paused using (rule, baseline, candidate)
"""

# Alerts to be retracted: of a pair that should not have been compared, as builds are ordered otherwise by now; or of
# records that were unloaded since, which may lie before the pair begins now, or behind all that is left.
_UNFOUNDED = """
create or replace temp table unfounded as
select
    rule, baseline, candidate, cast(epoch(min(end_ts)) as bigint) - 1 as after_second,
    cast(epoch(max(end_ts)) as bigint) as until_second
from alerts
inner join pass_scopes using (rule, baseline, candidate)
left join (select rule, baseline, candidate, epoch(judged_until) as known_until from progress)
    using (rule, baseline, candidate)
where
    state = 'current' and epoch(end_ts) > $after
    and (
        complete_until is null
        or run_id <= (select max(run_id) from unloaded) and epoch(end_ts) > least(judged_after, known_until)
    )
group by rule, baseline, candidate
"""
_STRETCH = """
update pass_scopes
set judged_after = least(judged_after, after_second), judged_until = greatest(judged_until, until_second)
from unfounded
where
    pass_scopes.rule = unfounded.rule and pass_scopes.baseline = unfounded.baseline
    and pass_scopes.candidate = unfounded.candidate
"""

_SUPERSEDES = """
select count(*) > 0 from pass_scopes inner join progress using (rule, baseline, candidate)
where not is_current and not is_superseded
"""

_FORGET_BATCHES = """
update progress set seen_batch_id = (select coalesce(max(batch_id), 0) from batches)
where seen_batch_id > (select coalesce(max(batch_id), 0) from batches)
"""


def hear(connection: Connection, piece: Slice) -> dict[str, str]:
    """Keep when each build of the slice sent records, when it was silent, and which pairs had a place.

    Returns:
        Queries of that, to be composed in place of `presence`, `gaps`, `places` and `pairs`, which are read more than
        once. Of the pairs those are left out that have no place in all of the slice.
    """
    heard = compose("select build, second, records from presence", piece)
    connection.exec_driver_sql("create or replace temp table heard_seconds as\n" + heard)
    silences = compose("select build, from_second, until_second from gaps", piece, presence=_HEARD)
    connection.exec_driver_sql("create or replace temp table silences as\n" + silences)
    places = compose("select * from places", piece, presence=_HEARD, pairs="select * from compared_pairs")
    connection.exec_driver_sql("create or replace temp table kept_places as\n" + places)
    connection.exec_driver_sql(_PLACE)
    pairs = _PAIRS.format(from_second=piece.after - piece.lead_seconds)
    return {"presence": _HEARD, "gaps": _SILENCES, "places": "select * from kept_places", "pairs": pairs}


def pause(connection: Connection, after: int) -> None:
    """Make `pauses` say when the pairs of `portion_scopes` were not judged from `after` (epoch seconds) on.

    In the caller's transaction, after `hear` of the slice that begins there.
    """
    for statement in _RESUME:
        connection.exec_driver_sql(statement, {"after": after})
    if connection.exec_driver_sql(_SILENT, {"after": after}).scalar_one():
        for statement in _PAUSE:
            connection.exec_driver_sql(statement)


def remember(connection: Connection, reached: int) -> None:
    """Make `progress` say how far the scopes of the pass are judged: up to `reached` (epoch seconds) nothing waits.

    `LAST_SECOND`: the pass is through.
    """
    connection.exec_driver_sql(_FORGET)
    connection.exec_driver_sql(_REMEMBER, {"reached": reached, "all": LAST_SECOND})


def reach_unfounded(connection: Connection, after: int) -> None:
    """Have `pass_scopes` reach to alerts of records that were unloaded, which end behind `after` (epoch second).

    Leaves the temporary table `unfounded`: from where to where they end.
    """
    connection.exec_driver_sql(_UNFOUNDED, {"after": after})
    connection.exec_driver_sql(_STRETCH)


def supersedes(connection: Connection) -> bool:
    """Whether the planned pass ends a comparison, even where nothing waits to be judged."""
    return bool(connection.exec_driver_sql(_SUPERSEDES).scalar_one())


def forget_batches(connection: Connection) -> None:
    """Have `progress` name no batch that is not in the ledger; in the caller's transaction."""
    connection.exec_driver_sql(_FORGET_BATCHES)
