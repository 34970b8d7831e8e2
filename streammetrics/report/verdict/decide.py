"""The decision on one comparison. Pure functions: nothing is read or written.

Worse: an incident is open. Not worse: a doubling of every code with traffic would have been found by now. A code has
traffic if, at its present rate, a doubling is found within the history of the rule; rarer codes are ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from streammetrics.detect.incidents import Incident
from streammetrics.report import wording
from streammetrics.report.status.models import AWAITS_USERS, DISPLACED, STANDSTILL_SECONDS, Compared
from streammetrics.runtime.terminal import counted, moment, named, printable

Word = Literal["worse", "not worse", "not enough data"]

MOST_NAMED = 5


@dataclass(frozen=True)
class CodeReach:
    """A code with errors.

    Args:
        found_ratio: the least increase that would have been found by now; None: no increase.
        is_doubling_found: whether a doubling would have been found.
        doubling_part: the part of the required evidence that a doubling would have.
    """

    code: str
    found_ratio: float | None
    is_doubling_found: bool
    doubling_part: float | None


@dataclass(frozen=True)
class Verdict:
    """The verdict on a comparison, its reason, and the facts.

    Args:
        missing_seconds: how long until there are enough data at the present traffic; None if unknown.
        incidents: the open ones.
        ended: those resolved within reopen_seconds.
    """

    baseline: str | None
    candidate: str | None
    verdict: Word
    reason: str
    judged_until: datetime | None = None
    missing_seconds: int | None = None
    incidents: Sequence[Incident] = ()
    codes: Sequence[CodeReach] = ()
    ended: Sequence[Incident] = ()


def decide(
    pair: Compared, incidents: Sequence[Incident], codes: Sequence[CodeReach], history_seconds: int, now: datetime
) -> Verdict:
    """The verdict on a comparison.

    Args:
        incidents: its incidents that are open, or were resolved within reopen_seconds.
        codes: its codes with errors within the history.
        history_seconds: how long evidence adds up.
        now: naive UTC.
    """
    standing = [one for one in incidents if one.state == "open"]
    ended = [one for one in incidents if one.state != "open"]

    def found(word: Word, reason: str, missing_seconds: float | None = None) -> Verdict:
        missing = None if missing_seconds is None else round(missing_seconds)
        why = reason + ("" if standing else _ends(ended))
        return Verdict(pair.baseline, pair.candidate, word, why, pair.judged_until, missing, standing, codes, ended)

    if standing:
        # The other detectors alert on noise.
        first = sorted(standing, key=lambda one: one.detector != "sequential")
        codes_worse = list(dict.fromkeys(one.code for one in first))
        return found("worse", f"{counted(len(standing), 'open incident')}: {_some(codes_worse)}")
    if why := _unjudged(pair, now):
        return found("not enough data", why)
    if not history_seconds:
        return found("not enough data", 'there is no [[rule]] with detector = "sequential": a verdict needs one')
    judged = min(pair.judged_seconds or 0, history_seconds)
    needed = {one.code: judged / one.doubling_part for one in codes if one.doubling_part and not one.is_doubling_found}
    waiting = {code: seconds for code, seconds in needed.items() if seconds <= history_seconds}
    ready = sum(one.is_doubling_found for one in codes)
    if waiting:
        missing = max(max(waiting.values()) - judged, 60)
        which = f"{len(waiting)} of {counted(len(waiting) + ready, 'code')} with traffic"
        slowest = _some(sorted(waiting, key=waiting.__getitem__, reverse=True))
        return found("not enough data", f"a doubling of {which} would not have been found yet: {slowest}", missing)
    if not ready:
        rare = f"no code sends enough errors for a doubling to be found in {history_seconds / 3600:.3g} h"
        return found("not enough data", rare)
    return found("not worse", f"a doubling of any of {counted(ready, 'code')} with traffic would have been found")


def _unjudged(pair: Compared, now: datetime) -> str | None:
    """Why the comparison has no current data, if so."""
    if pair.is_displaced:
        return f"it is not judged now: {DISPLACED}"
    if pair.awaits_users:
        return f"it {AWAITS_USERS}"
    if pair.judged_until is None or not pair.judged_seconds or pair.judged_seconds < 0:
        return "it is not judged yet"
    if pair.awaited is not None and pair.behind_seconds >= STANDSTILL_SECONDS:
        return f"{printable(pair.awaited)} sends no records: judged only up to {moment(pair.judged_until)} UTC"
    if (now - pair.judged_until).total_seconds() > STANDSTILL_SECONDS:
        return f"judged only up to {moment(pair.judged_until)} UTC: no newer records, or no run"
    return None


def _ends(ended: Sequence[Incident]) -> str:
    """The last resolved incident, and how many others; of `sequential` only, as the other detectors alert on noise."""
    if not ended:
        return ""
    last = max(ended, key=lambda one: (one.detector == "sequential", one.end_ts))
    more = f", and {counted(len(ended) - 1, 'more incident')} ended" if len(ended) > 1 else ""
    return f"; {named(last.code)} was worse{wording.ratio(last)} until {moment(last.end_ts)} UTC{more}"


def _some(codes: Sequence[str]) -> str:
    more = len(codes) - MOST_NAMED
    return ", ".join([*map(named, codes[:MOST_NAMED]), *([f"{more} more"] if more > 0 else [])])
