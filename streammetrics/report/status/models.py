"""What `status` reports: one class per statement in sql/reports/, for its rows. Times are naive UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from streammetrics.config import Mute

if TYPE_CHECKING:
    from streammetrics.query.publish import Published


@dataclass(frozen=True)
class Feed:
    """The newest record of a source, and when it was loaded."""

    source: str
    last_ts: datetime
    loaded_at: datetime
    is_silent: bool


@dataclass(frozen=True)
class Family:
    """The highest builds of a family, its number of builds, and those whose names are no versions."""

    family: str
    builds: Sequence[str]
    known: int
    unread: Sequence[str] | None
    builds_order: str


@dataclass(frozen=True)
class Pass:
    """How a pass ended."""

    finished_at: datetime
    state: str
    alerts_new: int
    alerts_revised: int
    alerts_retracted: int
    error: str | None


@dataclass(frozen=True)
class OpenIncident:
    """One of the strongest open incidents of a rule; `open`: how many open incidents the rule has."""

    rule: str
    code: str
    baseline: str
    candidate: str
    start_ts: datetime
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    exposure: str | None
    open: int


STANDSTILL_SECONDS = 1800
"""A build that is awaited for longer than this is not reported as late: perhaps nobody uses it any more."""

DISPLACED = "other comparisons go first ([builds] max_comparisons)"
AWAITS_USERS = "waits for the users of its builds: a file of [[exposure]] is incomplete"
"""Why a comparison is not judged."""


@dataclass(frozen=True)
class Compared:
    """A pair of builds that is compared now, and how far it is judged."""

    baseline: str
    candidate: str
    judged_until: datetime | None
    is_displaced: bool
    awaited: str | None
    behind_seconds: int
    judged_seconds: int | None
    awaits_users: bool


@dataclass(frozen=True)
class Reach:
    """The least ratio that would have been found by now in a young comparison; None: no ratio."""

    baseline: str
    candidate: str
    judged_seconds: int
    rate_ratio: float | None


@dataclass(frozen=True)
class Promise:
    """A rule, and the promised days per false incident of a code."""

    rule: str
    days_per_code: float
    codes: int
    comparisons: int


@dataclass(frozen=True)
class Share:
    """How the exposure of a comparison is known; the candidate's share now and EXPOSURE_HOURS ago."""

    baseline: str
    candidate: str
    exposure: str
    share: float
    former_share: float
    is_rising: bool


@dataclass(frozen=True)
class Mark:
    """Up to which value of its cursor a database was read."""

    source: str
    cursor: str
    mark: str


@dataclass(frozen=True)
class FailingChannel:
    """A channel that fails: since when, why, and how many notices wait for it."""

    channel: str
    failed_since: datetime
    error: str
    waiting: int


@dataclass(frozen=True)
class EndedJob:
    """How the last run of a job ended."""

    job: str
    ended_at: datetime
    exit_code: int
    failed_runs: int


@dataclass(frozen=True)
class Contents:
    """What a store holds.

    Args:
        rejected_last_day: rejects of the last day; `reject_reason` is their most frequent reason.
        replaced_files: files of the last day that may have been replaced before they were read to the end.
        ahead_files: files of the last day with records ahead of the clock, and the path and last batch of one.
        advice: what a person has to act on, a sentence each.
    """

    first_ts: datetime | None
    last_ts: datetime | None
    records: int
    rejected: int
    batches: int
    rejected_last_day: int
    reject_reason: str | None
    late_last_day: int
    replaced_files: int
    replaced_path: str | None
    ahead_files: int
    ahead_path: str | None
    ahead_batch_id: int | None
    families: Sequence[Family]
    last_pass: Pass | None
    last_failure: Pass | None
    open_incidents: Sequence[OpenIncident]
    comparisons: Sequence[Compared]
    reaches: Sequence[Reach]
    promises: Sequence[Promise]
    exposures: Sequence[Share]
    advice: Sequence[str]
    marks: Sequence[Mark]
    failing_channels: Sequence[FailingChannel]
    jobs: Sequence[EndedJob]


@dataclass(frozen=True)
class OpenQuote:
    """The line of a file that opens a quote which is not closed yet: from there on the file waits."""

    path: Path
    line: int


@dataclass(frozen=True)
class Status:
    """The status at `now`.

    Args:
        contents: None if there is no store yet.
        feeds: one for each source that has sent records.
        waiting_bytes: bytes on disk that were not read yet.
        refused: why files and databases are not read, a message for each.
        unmatched: sources without a file, a sentence each.
        mutes: those of the settings, also those that have ended.
        published: the file of [publish]; None if it is not configured.
    """

    now: datetime
    store: Path
    store_bytes: int
    contents: Contents | None
    feeds: Sequence[Feed] = ()
    waiting_files: int = 0
    waiting_bytes: int = 0
    refused: Sequence[str] = ()
    unmatched: Sequence[str] = ()
    open_quotes: Sequence[OpenQuote] = ()
    mutes: Sequence[Mute] = ()
    published: "Published | None" = None
