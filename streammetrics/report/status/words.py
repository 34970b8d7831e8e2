"""The state of a store in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from streammetrics.config.rules import RATE_RATIOS
from streammetrics.report import wording
from streammetrics.report.status.facts import (
    EXPOSURE_HOURS,
    STRONGEST,
    Contents,
    Exposure,
    Family,
    Incident,
    Pass,
    Promise,
    Status,
)
from streammetrics.report.status.feeds import Feed
from streammetrics.report.status.reach import Comparison, Reach
from streammetrics.runtime import terminal
from streammetrics.runtime.terminal import counted, moment, printable
from streammetrics.store.builds import ESTABLISHED_RECORDS, ESTABLISHED_SECONDS

NO_BUILDS = f"none yet: a build counts once it has sent {ESTABLISHED_RECORDS} records that span {ESTABLISHED_SECONDS} s"
STANDSTILL_SECONDS = 1800
"""A build that is awaited for so long is late no more: nobody may send it by now."""


def render(status: Status) -> str:
    """A dozen lines for people, or so."""
    lines = [("store", f"{status.store}, {_size(status.store_bytes)}")]
    if status.contents is None:
        lines = [("store", f"{status.store}: there is no store yet; `streammetrics ingest` makes one")]
    else:
        lines += _content_lines(status.contents, status.now)
    if status.feeds:
        lines.append(("sources", _some([_feed(feed, status.now) for feed in status.feeds])))
    waiting = (
        f"{counted(status.waiting_files, 'file')}, {_size(status.waiting_bytes)}" if status.waiting_files else "nothing"
    )
    marks = status.contents.marks if status.contents else ()
    databases = [f"{found.source} was read up to {found.cursor} {found.mark}" for found in marks]
    files = _file_words(status.contents) if status.contents else ()
    lines.append(("waiting", "; ".join([waiting, *files, *databases])))
    lines += [("to do", text) for text in _refused(status.refused)]
    lines += [("to do", text) for text in status.unmatched]
    if status.contents is not None and status.contents.advice:
        lines.append(("to do", "; ".join(status.contents.advice)))
    return "\n".join(f"{name:<10} {printable(text)}" for name, text in lines)


def _content_lines(contents: Contents, now: datetime) -> Iterator[tuple[str, str]]:
    history = "no records yet"
    if contents.first_ts is not None and contents.last_ts is not None:
        history = f"{moment(contents.first_ts)} to {moment(contents.last_ts)} UTC, {_age(now - contents.last_ts)}"
    yield "history", history
    yield (
        "records",
        f"{contents.records:,} in {counted(contents.batches, 'batch', 'batches')}, {contents.rejected:,} rejected",
    )
    if contents.rejected_last_day:
        yield "rejects", f"{contents.rejected_last_day:,} in the last day, most of them: {contents.reject_reason}"
    if contents.late_last_day:
        yield (
            "late",
            f"{counted(contents.late_last_day, 'record')} of the last day: counted, but too late to judge anew",
        )
    yield "builds", _some([_family(found) for found in contents.families]) or NO_BUILDS
    yield "last pass", "none yet" if contents.last_pass is None else _pass(contents.last_pass)
    if contents.last_failure is not None and contents.last_failure != contents.last_pass:
        yield "failed", _pass(contents.last_failure)
    promises = f" ({'; '.join(map(promise_words, contents.promises))})" if contents.promises else ""
    yield "open", ("; ".join(_open_lines(contents.open_incidents)) or "no incidents") + promises
    exposures = {(found.baseline, found.candidate): found for found in contents.exposures}
    reaches = {(found.baseline, found.candidate): found for found in contents.reaches}
    judged = [
        _judged(pair, reaches.get((pair.baseline, pair.candidate)))
        + _exposure(None if pair.is_displaced or pair.awaits_users else exposures.get((pair.baseline, pair.candidate)))
        for pair in contents.comparisons
    ]
    has_others = any(family.known > 1 for family in contents.families)
    idle = "nothing now: builds are compared while both send records" if has_others else "nothing yet"
    yield "judged", _some(judged) or idle


def _some(words: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(words) - STRONGEST
    return "; ".join([*words[:STRONGEST], *([f"and {more:,} more"] if more > 0 else [])])


def _family(found: Family) -> str:
    """The order of builds within a family, and what it follows."""
    named = f"{found.family}: " if found.family else ""
    lower = "... < " if found.known > len(found.builds) else ""
    return f"{named}{lower}{' < '.join(found.builds)} ({_order(found)})"


def _order(found: Family) -> str:
    unread = found.unread or ()
    if found.builds_order == "first_seen":
        return "by first appearance, as set"
    if len(unread) == found.known:
        return "by first appearance: no name reads as a version"
    if unread:
        return f"by version; by first appearance: {', '.join(unread[-STRONGEST:])}"
    return "by version"


def _feed(feed: Feed, now: datetime) -> str:
    if feed.is_silent:
        return (
            f"{feed.source}: SILENT since {moment(feed.last_ts)}: {feed.expected_records or 0:,} records were to be "
            f"expected, and at this time of day no pause is longer than {_duration(feed.usual_pause_seconds or 0)}"
        )
    late = f", which was {_duration(feed.lag_seconds)} old when it came" if feed.is_late else ""
    usual = f" (usually {_duration(feed.usual_lag_seconds or 0)})" if feed.is_late else ""
    return f"{feed.source}: last record {moment(feed.last_ts)}{late}{usual}, loaded {_age(now - feed.loaded_at)}"


def _refused(messages: tuple[str, ...]) -> Iterator[str]:
    for message in messages[:STRONGEST]:
        yield f"refused: {terminal.one_line(message)}"
    if len(messages) > STRONGEST:
        yield f"{len(messages) - STRONGEST:,} more are refused: `streammetrics doctor` lists them"


def _file_words(contents: Contents) -> Iterator[str]:
    if contents.replaced_files:
        what = counted(contents.replaced_files, "file")
        yield f"{what} replaced in the last day, perhaps before all was read, such as {contents.replaced_path}"
    if contents.ahead_files:
        what = counted(contents.ahead_files, "file")
        yield (
            f"{what} of the last day whose newest records are ahead of the clock, such as {contents.ahead_path}: is "
            f"timezone wrong? `streammetrics unload {contents.ahead_batch_id}`, mend it, and they are read again"
        )


def _pass(found: Pass) -> str:
    if found.error is not None:
        return f"{moment(found.finished_at)}: {found.state}: {found.error}"
    counts = f"{found.alerts_new:,} new, {found.alerts_revised:,} revised, {found.alerts_retracted:,} retracted"
    return f"{moment(found.finished_at)}: {found.state}, alerts: {counts}"


def _open_lines(incidents: tuple[Incident, ...]) -> Iterator[str]:
    for rule, group in groupby(incidents, lambda incident: incident.rule):
        shown = list(group)
        named = ", ".join(
            f"code {incident.code} since {moment(incident.start_ts)}" + _ratio(incident) for incident in shown
        )
        more = "" if shown[0].open == len(shown) else f" and {shown[0].open - len(shown):,} more"
        yield f"{rule}: {counted(shown[0].open, 'incident')}: {named}{more}"


def _ratio(incident: Incident) -> str:
    if incident.ratio is None:
        return "" if incident.ratio_low is None else f" (at least x{incident.ratio_low:.3g})"
    return f" (x{incident.ratio:.3g})"


def _judged(pair: Comparison, reach: Reach | None) -> str:
    if pair.is_displaced:
        return f"{pair.baseline} -> {pair.candidate} not now: other comparisons go first ([builds] max_comparisons)"
    if pair.awaits_users:
        waits = "waits for the users of its builds: a file of [[exposure]] is not whole"
        return f"{pair.baseline} -> {pair.candidate} {waits}"
    if pair.judged_seconds is not None and pair.judged_seconds < 0:
        return f"{pair.baseline} -> {pair.candidate} not yet: its baseline begins in {_duration(-pair.judged_seconds)}"
    until = "not yet" if pair.judged_until is None else f"up to {moment(pair.judged_until)}"
    awaited = "" if pair.awaited is None else f", {pair.awaited} is awaited ({_duration(pair.behind_seconds)} behind)"
    if awaited and pair.behind_seconds >= STANDSTILL_SECONDS:
        awaited += ", and until it sends nothing more is judged"
    young = "" if reach is None else f" ({reach_words(reach)})"
    return f"{pair.baseline} -> {pair.candidate} {until}{young}{awaited}"


def reach_words(found: Reach) -> str:
    """What a young comparison can find by now."""
    age = f"judged for {_duration(found.judged_seconds)}"
    if found.rate_ratio is None:
        return f"{age}: not even an increase by x{RATE_RATIOS[-1]:g} of a typical code would have been found yet"
    return f"{age}: an increase by about x{found.rate_ratio:g} or more of a typical code would have been found"


def promise_words(found: Promise) -> str:
    """How rarely a rule may be wrong of all codes together."""
    return f"{found.rule}, {counted(found.codes, 'code')}: at most one false incident in {_days(found)}"


def _days(found: Promise) -> str:
    days = found.days_per_code / found.codes
    for size, unit in ((1, "days"), (24, "hours"), (1440, "minutes")):
        if size * days >= 2:
            return f"{size * days:,.0f} {unit}"
    return f"{86400 * days:,.0f} seconds"


def _exposure(found: Exposure | None) -> str:
    if found is None:
        return ""
    words = f", {wording.exposure(found.exposure, found.share)}"
    if found.is_rising:
        words += f": it was {found.former_share:.3g} {EXPOSURE_HOURS} hours ago"
    return words


def _age(age: timedelta) -> str:
    seconds = round(age.total_seconds())
    return f"{_duration(seconds)} ago" if seconds >= 0 else f"{_duration(-seconds)} ahead of the clock"


def _duration(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _size(number: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"
