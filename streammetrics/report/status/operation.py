"""How jobs, notices and mutes are, in words; and what a monitor has to know."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from streammetrics.config import Mute
from streammetrics.report.status.models import Contents, EndedJob, Status, Unsent
from streammetrics.runtime.terminal import counted, moment, named

CHECKED_INTERVALS = 3


def check(status: Status, interval_seconds: float) -> list[str]:
    """What a monitor has to know: no job has ended for three intervals of the schedule, or a source is silent."""
    silent = [feed for feed in status.feeds if feed.is_silent]
    found = [f"source {feed.source} is silent since {moment(feed.last_ts)} UTC" for feed in silent]
    ends = [] if status.contents is None else [job.ended_at for job in status.contents.jobs]
    if not ends:
        return ["no job has ended yet", *found]
    since = status.now - max(ends)
    if since > timedelta(seconds=CHECKED_INTERVALS * interval_seconds):
        found.insert(0, f"the last job ended at {moment(max(ends))} UTC, {age(since)}")
    return found


def lines(held: Contents) -> Iterator[tuple[str, str]]:
    """Notices that a channel does not take, and jobs that fail."""
    for found in held.unsent:
        if found.error is not None:
            yield "notices", _unsent(found)
    for job in held.jobs:
        if job.failed_runs:
            yield "failed", _failing(job)


def mute_words(mute: Mute, now: datetime) -> str:
    patterns = {name: getattr(mute, name) for name in ("rule", "code", "baseline", "candidate")}
    what = ", ".join(f"{name} {named(pattern)}" for name, pattern in patterns.items() if pattern != "*") or "everything"
    if mute.until is not None and mute.is_over(now):
        return f"{what}: ENDED at {moment(mute.until)} UTC, remove it from config.toml ({mute.reason})"
    until = "" if mute.until is None else f" until {moment(mute.until)} UTC"
    return f"{what}{until}: {mute.reason}"


def _unsent(found: Unsent) -> str:
    why = "" if found.error is None else f": {found.error}"
    return f"{found.channel}: {counted(found.notices, 'notice')} not sent since {moment(found.since_ts)} UTC{why}"


def _failing(job: EndedJob) -> str:
    runs = counted(job.failed_runs, "run")
    return f"job {job.job}: the last {runs} failed, with exit code {job.exit_code} at {moment(job.ended_at)} UTC"


def age(age: timedelta) -> str:
    seconds = round(age.total_seconds())
    return f"{duration(seconds)} ago" if seconds >= 0 else f"{duration(-seconds)} ahead of the clock"


def duration(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
