"""Incidents against what is true: false ones, the time to detect, wrong resolves, duplicates. All times in seconds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MINUTE = 60


@dataclass(frozen=True)
class Cause:
    """A code that is worse in the candidate from `since` on, before `until`."""

    code: str
    since: int
    until: int


@dataclass(frozen=True)
class Incident:
    """What a peer reports: a code, when it opened, and when it was resolved; None: it is still open at the end."""

    code: str
    opened: int
    resolved: int | None = None


@dataclass(frozen=True)
class Score:
    """Of one or more streams.

    Args:
        false: incidents that no cause explains.
        delays: of each cause, until its first incident opened; None: it was missed.
        wrong_resolves: how often an incident was resolved while its cause went on.
        duplicates: incidents of causes beyond the first of each.
    """

    false: int = 0
    delays: tuple[int | None, ...] = ()
    wrong_resolves: int = 0
    duplicates: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.false + other.false, self.delays + other.delays, self.wrong_resolves + other.wrong_resolves,
            self.duplicates + other.duplicates,
        )  # fmt: skip


def judged(incidents: Sequence[Incident], causes: Sequence[Cause]) -> Score:
    """The score of one stream."""
    score = Score(false=len(incidents))
    for cause in causes:
        mine = [one for one in incidents if one.code == cause.code and cause.since <= one.opened < cause.until]
        delay = min(one.opened for one in mine) - cause.since if mine else None
        wrong = sum(one.resolved is not None and one.resolved < cause.until for one in mine)
        score += Score(-len(mine), (delay,), wrong, max(0, len(mine) - 1))
    return score


def merged(moments: Mapping[str, Iterable[int]], gap: int, end: int) -> list[Incident]:
    """The incidents of peers that only say when a code alerts: over once there is no alert for `gap` seconds."""
    found = []
    for code, times in moments.items():
        ordered = sorted(times)
        breaks = [place for place in range(1, len(ordered)) if ordered[place] - ordered[place - 1] > gap]
        for first, after in zip([0, *breaks], [*breaks, len(ordered)], strict=True):
            if first < after:
                over = ordered[after - 1] + gap
                found.append(Incident(code, ordered[first], over if over <= end else None))
    return found
