"""The state of jobs, notices and mutes as text; and the problems that `status --check` reports."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from streammetrics.config import Mute
from streammetrics.report.status.models import Contents, EndedJob, FailingChannel, Status
from streammetrics.runtime.terminal import counted, moment, named, one_line

CHECKED_INTERVALS = 3


def check(status: Status, interval_seconds: float) -> list[str]:
    """Problems for a monitor: for three intervals no job ended or a channel failed; a source is silent or refused."""
    found = [f"source {one.source} is silent since {moment(one.last_ts)} UTC" for one in status.feeds if one.is_silent]
    found += [f"refused: {one_line(message)}" for message in status.refused]
    if status.contents is None or not status.contents.jobs:
        return ["no job has ended yet", *found]
    limit = timedelta(seconds=CHECKED_INTERVALS * interval_seconds)
    ended = max(job.ended_at for job in status.contents.jobs)
    if status.now - ended > limit:
        found.insert(0, f"the last job ended at {moment(ended)} UTC, {age(status.now - ended)}")
    return found + [
        _failing_channel(one) for one in status.contents.failing_channels if status.now - one.failed_since > limit
    ]


def lines(held: Contents) -> Iterator[tuple[str, str]]:
    """Channels and jobs that fail."""
    yield from (("notices", _failing_channel(one)) for one in held.failing_channels)
    yield from (("failed", _failing(job)) for job in held.jobs if job.failed_runs)


def mute_words(mute: Mute, now: datetime) -> str:
    patterns = {name: getattr(mute, name) for name in ("rule", "code", "baseline", "candidate")}
    what = ", ".join(f"{name} {named(pattern)}" for name, pattern in patterns.items() if pattern != "*") or "everything"
    if mute.until is not None and mute.is_over(now):
        return f"{what}: ENDED at {moment(mute.until)} UTC, remove it from config.toml"
    until = "" if mute.until is None else f" until {moment(mute.until)} UTC"
    return f"{what}{until}{f': {mute.reason}' if mute.reason else ''}"


def _failing_channel(found: FailingChannel) -> str:
    waiting = f", {counted(found.waiting, 'notice')} not sent" if found.waiting else ""
    return f"channel {found.channel} fails since {moment(found.failed_since)} UTC{waiting}: {found.error}"


def _failing(job: EndedJob) -> str:
    runs = "run" if job.failed_runs == 1 else f"{job.failed_runs:,} runs"
    return f"job {job.job}: the last {runs} failed, with exit code {job.exit_code} at {moment(job.ended_at)} UTC"


def age(age: timedelta) -> str:
    seconds = round(age.total_seconds())
    return f"{duration(seconds)} ago" if seconds >= 0 else f"{duration(-seconds)} ahead of the clock"


def duration(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
