"""What there is to tell of a store, and the questions that find it out.

Nothing here reads all records: the ledger, the passes and the builds are small, and of the alerts only those are read
whose codes have an open incident.
"""

from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from streammetrics import advice
from streammetrics.slices import whole_incidents
from streammetrics.status.feeds import Feed
from streammetrics.views import EXPOSURE_LEAD_SECONDS, Slice, compose

STRONGEST = 3
"""So many incidents of a rule, and so many comparisons, fit into a line."""

EXPOSURE_HOURS = 3

_HISTORY = """
select
    greatest(min(min_ts), (select max(before_ts) from pruned where relation = 'counters')) as first_ts,
    max(max_ts) as last_ts, coalesce(sum(records), 0)::bigint as records,
    coalesce(sum(rejected), 0)::bigint as rejected, count(*) as batches
from batches where duplicate_of is null
"""

_ESTABLISHED = "select build from builds where since_second is not null order by version_rank desc limit 2"

_PASSES = """
select finished_at, state, alerts_new, alerts_revised, alerts_retracted, error
from runs where state = 'failed' or not $failed
order by run_id desc limit 1
"""

# Open are incidents that end so near to what is settled that another alert could join them.
_OPEN_TAILS = """
select alerts.rule, alerts.baseline, alerts.candidate, alerts.code
from main.alerts as alerts
inner join (select rule, baseline, candidate, min(settled_until) as settled_until from progress group by all) as settled
    using (rule, baseline, candidate)
cross join settings
where alerts.state = 'current' and epoch(alerts.end_ts) + settings.merge_seconds > epoch(settled.settled_until)
"""

_OPEN = """
select rule, code, baseline, candidate, start_ts, ratio, ratio_low, peak_value,
    count(*) over (partition by rule) as open,
    row_number() over (partition by rule order by peak_value desc, incident_id) as place
from incidents where state = 'open'
qualify place <= $most
order by rule, place
"""

# A build is awaited where a bin of the other one is over that it has not been heard in.
_JUDGED = """
select pairs.baseline, pairs.candidate, min(progress.judged_until) as judged_until,
    case
        when any_value(abs(epoch(olds.last_second) - epoch(news.last_second))) < min(rules.bin_seconds) then null
        when any_value(olds.last_second < news.last_second) then pairs.baseline
        else pairs.candidate
    end as awaited,
    any_value(abs(epoch(olds.last_second) - epoch(news.last_second)))::bigint as behind_seconds
from pairs
inner join builds as olds on pairs.baseline = olds.build
inner join builds as news on pairs.candidate = news.build
cross join (select distinct rule, bin_seconds, settings_hash from rules) as rules
left join progress
    on progress.rule = rules.rule and progress.settings_hash = rules.settings_hash
    and progress.baseline = pairs.baseline and progress.candidate = pairs.candidate
where pairs.until_second = 253402300799
group by pairs.baseline, pairs.candidate
order by pairs.candidate desc, pairs.baseline desc
"""

# What a rule promises of all codes of the pairs that are compared now together.
_PROMISES = """
select rule, pow(10, any_value(threshold)) * any_value(bin_seconds) / 86400 as days_per_code, codes
from rules
cross join (
    select count(distinct code) as codes
    from codes
    where build in (
        select unnest([baseline, candidate]) from pairs where until_second = 253402300799
    )
)
where detector = 'sequential' and codes > 0
group by rule, codes
order by rule
"""

_LATEST = "select max(complete_until_second) from pairs where until_second = 253402300799"

# How the exposure is known, and where it went in the last hours: where most codes rise together, an estimate follows.
# Odds that are higher by the least ratio that rules look for may be traffic as well.
_EXPOSURES = """
select *, exposure = 'estimated' and share / (1 - share) >= 1.25 * former_share / (1 - former_share) as is_rising
from (
    select
        pairs.baseline, pairs.candidate, arg_max(shares.exposure, bin_second) as exposure,
        arg_max(shares.candidate_share, bin_second) as share,
        arg_min(shares.candidate_share, bin_second) as former_share
    from shares
    inner join pairs using (pair_id)
    where shares.bin_second >= pairs.from_second
    group by pairs.baseline, pairs.candidate
)
"""

_REJECTS = """
select
    (select coalesce(sum(rejected), 0)::bigint from batches where loaded_at >= $since) as rejected_last_day,
    (
        select reason from rejects where batch_id in (select batch_id from batches where loaded_at >= $since)
        group by reason order by count(*) desc, reason limit 1
    ) as reject_reason
"""


_MARKS = "select source, cursor, arg_max(mark, batch_id) as mark from cursor_marks group by all order by source"

# What needs a person: files that could not be read, and contents that may not have been read to their end.
_FILES = """
select
    (select count(*) from batches where range_end = 0 and records = 0 and rejected > 0) as damaged_files,
    (
        select arg_max(path, batch_id) from batches where range_end = 0 and records = 0 and rejected > 0
    ) as damaged_path,
    (select count(*) from replaced where found_as is null and replaced_at >= $since) as replaced_files,
    (
        select arg_max(path || ' ' || state, replaced_at) from replaced
        where found_as is null and replaced_at >= $since
    ) as replaced_path
"""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Pass(_Part):
    """How a detection pass ended; times are naive UTC throughout."""

    finished_at: datetime
    state: str
    alerts_new: int
    alerts_revised: int
    alerts_retracted: int
    error: str | None


class Incident(_Part):
    """An open incident; `open` is how many its rule has."""

    rule: str
    code: str
    baseline: str
    candidate: str
    start_ts: datetime
    ratio: float | None
    ratio_low: float | None
    open: int


class Promise(_Part):
    """What a rule's setting means: one false incident of a code in so many days, and so many codes there are."""

    rule: str
    days_per_code: float
    codes: int


class Exposure(_Part):
    """The candidate's share of the users of both builds now and three hours ago, and how it is known.

    `is_rising`: it is estimated, and higher by what may be traffic or a regression of most codes.
    """

    baseline: str
    candidate: str
    exposure: str
    share: float
    former_share: float
    is_rising: bool


class Comparison(_Part):
    """How far two builds are judged, None where never; `awaited` is the build that is `behind_seconds` behind."""

    baseline: str
    candidate: str
    judged_until: datetime | None
    awaited: str | None
    behind_seconds: int


class Mark(_Part):
    """Up to which value of its cursor a database was read."""

    source: str
    cursor: str
    mark: str


class Contents(_Part):
    """What the store holds."""

    first_ts: datetime | None
    last_ts: datetime | None
    records: int
    rejected: int
    batches: int
    builds: tuple[str, ...]
    last_pass: Pass | None
    last_failure: Pass | None
    open_incidents: tuple[Incident, ...]
    comparisons: tuple[Comparison, ...]
    promises: tuple[Promise, ...]
    exposures: tuple[Exposure, ...]
    advice: tuple[str, ...]
    rejected_last_day: int
    reject_reason: str | None
    marks: tuple[Mark, ...]
    damaged_files: int
    damaged_path: str | None
    replaced_files: int
    replaced_path: str | None


class Status(_Part):
    """`contents` is None where there is no store yet. `waiting_bytes` are those of the files as they lie on disk."""

    now: datetime
    store: Path
    store_bytes: int
    contents: Contents | None
    feeds: tuple[Feed, ...]
    waiting_files: int
    waiting_bytes: int


def contents(connection: Connection, now: datetime) -> Contents:
    """Ask the store."""
    opened = connection.exec_driver_sql(compose(_OPEN, alerts=whole_incidents(_OPEN_TAILS)), {"most": STRONGEST})
    return Contents(
        **connection.exec_driver_sql(_HISTORY).mappings().one(),
        **connection.exec_driver_sql(_REJECTS, {"since": now - timedelta(days=1)}).mappings().one(),
        **connection.exec_driver_sql(_FILES, {"since": now - timedelta(days=1)}).mappings().one(),
        builds=tuple(connection.exec_driver_sql(_ESTABLISHED).scalars()),
        last_pass=_pass(connection, failed=False),
        last_failure=_pass(connection, failed=True),
        open_incidents=tuple(Incident(**found) for found in opened.mappings()),
        comparisons=tuple(Comparison(**found) for found in connection.exec_driver_sql(compose(_JUDGED)).mappings()),
        promises=tuple(Promise(**found) for found in connection.exec_driver_sql(compose(_PROMISES)).mappings()),
        exposures=_exposures(connection),
        advice=tuple(advice.current(connection)),
        marks=tuple(Mark(**found) for found in connection.exec_driver_sql(_MARKS).mappings()),
    )


def _exposures(connection: Connection) -> tuple[Exposure, ...]:
    latest = connection.exec_driver_sql(compose(_LATEST)).scalar_one()
    if latest is None:
        return ()
    piece = Slice(latest - EXPOSURE_HOURS * 3600, latest, EXPOSURE_LEAD_SECONDS)
    return tuple(Exposure(**found) for found in connection.exec_driver_sql(compose(_EXPOSURES, piece)).mappings())


def _pass(connection: Connection, *, failed: bool) -> Pass | None:
    found = connection.exec_driver_sql(_PASSES, {"failed": failed}).mappings().one_or_none()
    return None if found is None else Pass(**found)
