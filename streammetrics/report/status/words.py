"""The state of a store in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from streammetrics.config.rules import RATE_RATIOS
from streammetrics.report import wording
from streammetrics.report.status import operation
from streammetrics.report.status.facts import EXPOSURE_HOURS, STRONGEST
from streammetrics.report.status.models import (
    AWAITS_USERS,
    DISPLACED,
    STANDSTILL_SECONDS,
    Compared,
    Contents,
    Family,
    Feed,
    Pass,
    Promise,
    Reach,
    Share,
    Status,
)
from streammetrics.runtime import terminal
from streammetrics.runtime.terminal import counted, moment, named, printable
from streammetrics.store.builds import ESTABLISHED

if TYPE_CHECKING:
    from streammetrics.query.publish import Published

Found = TypeVar("Found", Reach, Share)

NO_BUILDS = f"none yet: a build counts once it has sent {ESTABLISHED}"


def render(status: Status) -> str:
    """About a dozen lines for people."""
    held = status.contents
    lines = [("store", f"{status.store}: there is no store yet; `streammetrics ingest` makes one")]
    if held is not None:
        lines = [("store", f"{status.store}, {_size(status.store_bytes)}"), *_content_lines(held, status.now)]
    if status.feeds:
        lines.append(("sources", _some([feed_words(feed, status.now) for feed in status.feeds])))
    lines.append(("waiting", "; ".join(_waiting(status))))
    lines += [("mute", operation.mute_words(mute, status.now)) for mute in status.mutes]
    if status.published is not None:
        lines.append(("published", _published(status.published, status.now)))
    lines += [("to do", f"refused: {terminal.one_line(message)}") for message in status.refused[:STRONGEST]]
    if len(status.refused) > STRONGEST:
        more = len(status.refused) - STRONGEST
        lines.append(("to do", f"{more:,} more are refused: `streammetrics doctor` lists them"))
    lines += [("to do", text) for text in status.unmatched]
    if held is not None and held.advice:
        lines.append(("to do", "; ".join(held.advice)))
    return "\n".join(f"{name:<10} {printable(text)}" for name, text in lines)


def as_json(status: Status) -> str:
    """The same as one line of JSON, times as ISO text in UTC."""
    return terminal.as_json(status)


def young_lines(found: Sequence[Reach]) -> list[str]:
    """A line for each comparison judged for less than a day: the increase that it can find by now (`reaches`)."""
    return [printable(f"{one.baseline} -> {one.candidate}  {reach_words(one)}") for one in found]


def _content_lines(held: Contents, now: datetime) -> Iterator[tuple[str, str]]:
    history = "no records yet"
    if held.first_ts is not None and held.last_ts is not None:
        history = f"{moment(held.first_ts)} to {moment(held.last_ts)} UTC, {operation.age(now - held.last_ts)}"
    yield "history", history
    batches = counted(held.batches, "batch", "batches")
    yield "records", f"{held.records:,} in {batches}, {held.rejected:,} rejected"
    if held.rejected_last_day:
        yield "rejects", f"{held.rejected_last_day:,} in the last day, the most frequent reason: {held.reject_reason}"
    if held.late_last_day:
        late = counted(held.late_last_day, "record")
        yield "late", f"{late} of the last day: counted, but too late to judge again"
    yield "builds", _some([_family(found) for found in held.families]) or NO_BUILDS
    yield "last pass", "none yet" if held.last_pass is None else _pass(held.last_pass)
    if held.last_failure is not None and held.last_failure != held.last_pass:
        yield "failed", _pass(held.last_failure)
    yield from operation.lines(held)
    promises = f" ({'; '.join(map(promise_words, held.promises))})" if held.promises else ""
    yield "open", ("; ".join(_open_lines(held)) or "no incidents") + promises
    has_others = any(family.known > 1 for family in held.families)
    idle = "nothing now: builds are compared while both send records" if has_others else "nothing yet"
    yield "judged", _some([_judged(pair, held) for pair in held.comparisons]) or idle


def _some(words: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(words) - STRONGEST
    return "; ".join([*words[:STRONGEST], *([f"and {more:,} more"] if more > 0 else [])])


def _family(found: Family) -> str:
    """The order of builds within a family, and whether it follows versions or appearance."""
    prefix = f"{found.family}: " if found.family else ""
    lower = "... < " if found.known > len(found.builds) else ""
    unread = found.unread or ()
    if found.builds_order == "first_seen":
        order = "by first appearance, as set"
    elif len(unread) == found.known:
        order = "by first appearance: no name reads as a version"
    elif unread:
        order = f"by version; by first appearance: {', '.join(unread[-STRONGEST:])}"
    else:
        order = "by version"
    return f"{prefix}{lower}{' < '.join(found.builds)} ({order})"


def feed_words(feed: Feed, now: datetime) -> str:
    """A source, its newest record, and when that was loaded."""
    loaded = operation.age(now - feed.loaded_at)
    if feed.is_silent:
        return f"{feed.source}: SILENT since {moment(feed.last_ts)}, loaded {loaded}"
    return f"{feed.source}: last record {moment(feed.last_ts)}, loaded {loaded}"


def _waiting(status: Status) -> Iterator[str]:
    files = f"{counted(status.waiting_files, 'file')}, {_size(status.waiting_bytes)}"
    yield files if status.waiting_files else "nothing"
    for quote in status.open_quotes:
        yield f"{quote.path} waits from line {quote.line:,} on, which opens a quote that is not closed yet"
    held = status.contents
    if held is None:
        return
    if held.replaced_files:
        what = counted(held.replaced_files, "file")
        yield f"{what} replaced in the last day, perhaps before all was read, such as {held.replaced_path}"
    if held.ahead_files:
        what = counted(held.ahead_files, "file")
        yield (
            f"{what} of the last day whose newest records are ahead of the clock, such as {held.ahead_path}: is "
            f"timezone wrong? `streammetrics unload {held.ahead_batch_id}`, correct it, and they are read again"
        )
    yield from (f"{found.source} was read up to {found.cursor} {found.mark}" for found in held.marks)


def _published(found: "Published", now: datetime) -> str:
    if found.reason is not None:
        return f"{found.path}: cannot be read: {found.reason}"
    if found.published_at is None or found.seconds is None:
        return f"{found.path}: not yet"
    age, size = operation.age(now - found.published_at), _size(found.size_bytes or 0)
    return f"{found.path}, {size}, {age}, written in {found.seconds:.1f} s"


def _pass(found: Pass) -> str:
    head = f"{moment(found.finished_at)}: {found.state}"
    if found.error is not None:
        return f"{head}: {found.error}"
    counts = f"{found.alerts_new:,} new, {found.alerts_revised:,} revised, {found.alerts_retracted:,} retracted"
    return f"{head}, alerts: {counts}"


def _open_lines(held: Contents) -> Iterator[str]:
    # Several comparisons may each have an incident of the same code.
    are_several = len(held.comparisons) > 1
    for rule, group in groupby(held.open_incidents, lambda incident: incident.rule):
        shown = list(group)
        codes = ", ".join(
            f"code {named(incident.code)} since {moment(incident.start_ts)}{wording.ratio(incident)}"
            + (f" {incident.baseline} -> {incident.candidate}" if are_several else "")
            for incident in shown
        )
        more = "" if shown[0].open == len(shown) else f" and {shown[0].open - len(shown):,} more"
        yield f"{rule}: {counted(shown[0].open, 'incident')}: {codes}{more}"


def _judged(pair: Compared, held: Contents) -> str:
    return f"{pair.baseline} -> {pair.candidate} {judged_words(pair, held)}"


def judged_words(pair: Compared, held: Contents) -> str:
    """How far a comparison is judged, what increase it would have found, the awaited build, and its exposure."""
    if pair.is_displaced:
        return f"not now: {DISPLACED}"
    if pair.awaits_users:
        return AWAITS_USERS
    reach, exposure = _of(pair, held.reaches), _of(pair, held.exposures)
    shares = "" if exposure is None else f", {_exposure(exposure)}"
    if pair.judged_seconds is not None and pair.judged_seconds < 0:
        return f"not yet: its baseline begins in {operation.duration(-pair.judged_seconds)}{shares}"
    until = "not yet" if pair.judged_until is None else f"up to {moment(pair.judged_until)}"
    young = "" if reach is None else f" ({reach_words(reach)})"
    awaited = ""
    if pair.awaited is not None:
        awaited = f", {pair.awaited} is awaited ({operation.duration(pair.behind_seconds)} behind)"
        if pair.behind_seconds >= STANDSTILL_SECONDS:
            awaited += ", and until it sends nothing more is judged"
    return f"{until}{young}{awaited}{shares}"


def _of(pair: Compared, found: Sequence[Found]) -> Found | None:
    builds = (pair.baseline, pair.candidate)
    return next((one for one in found if (one.baseline, one.candidate) == builds), None)


def _exposure(found: Share) -> str:
    words = wording.exposure(found.exposure, found.share)
    return words + (f": it was {found.former_share:.3g} {EXPOSURE_HOURS} hours ago" if found.is_rising else "")


def reach_words(found: Reach) -> str:
    """The increase that a young comparison can find by now."""
    age = f"judged for {operation.duration(found.judged_seconds)}"
    if found.rate_ratio is None:
        return f"{age}: not even an increase of a typical code by x{RATE_RATIOS[-1]:g} would have been found yet"
    return f"{age}: an increase of a typical code by about x{found.rate_ratio:g} or more would have been found"


def promise_words(found: Promise) -> str:
    """The promised time per false incident of a rule, over all codes and comparisons."""
    days = found.days_per_code / found.codes
    units = ((1, "days"), (24, "hours"), (1440, "minutes"), (86400, "seconds"))
    size, unit = next((unit for unit in units if unit[0] * days >= 2), units[-1])
    codes = counted(found.codes, "code")
    if found.comparisons > 1:
        codes += f" of {found.comparisons} comparisons"
    return f"{found.rule}, {codes}: at most one false incident in {size * days:,.0f} {unit}"


def _size(number: int) -> str:
    from rich.filesize import decimal

    return decimal(number)
