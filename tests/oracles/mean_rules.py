"""The two reference rules once more, in plain Python and exact arithmetic, to hold the SQL against.

Nothing here is fast, and nothing is shared with the program but its settings: every bin is looked at on its own, every
sum is a whole number of 1e-12, and a decision compares fractions. Times are whole epoch seconds.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, permutations
from typing import NamedTuple

from streammetrics.config import Comparison, Config, Rule
from streammetrics.sources import exposure

UNITS = 10**12
"""Bin values are DECIMAL(38, 12): whole numbers of these."""
ESTABLISHED_RECORDS = 20
ESTABLISHED_SECONDS = 30
BLOCK_SECONDS, HOUR_SECONDS, DAY_SECONDS = 600, 3600, 86400
EPOCH = datetime(1970, 1, 1)
ALWAYS = -62135596800
"""Since when builds are compared that are named: since year 1."""

Seconds = dict[int, dict[str, Counter[str]]]
"""Of the active seconds the records by code and build."""


class Record(NamedTuple):
    """What a client reported, to the second."""

    second: int
    build: str
    code: str


class Key(NamedTuple):
    """What tells one alert from another; `stop` is the start of the window's last bin."""

    rule: str
    baseline: str
    candidate: str
    code: str
    window_bins: int
    stop: int


class Finding(NamedTuple):
    """What an alert says; `value` to 9 decimals, `ratio` to 6, None without errors of the baseline."""

    start: int
    end: int
    value: Fraction
    baseline_errors: int
    candidate_errors: int
    ratio: Fraction | None


class Pair(NamedTuple):
    baseline: str
    candidate: str


def version(build: str) -> tuple[int, ...]:
    """Builds of these tests are numbers between dots: 5.9 comes before 5.10."""
    return tuple(int(part) for part in build.split("."))


def rounded(value: Fraction, decimals: int) -> Fraction:
    """To the nearest, halves away from zero."""
    scale = 10**decimals
    whole = (abs(value) * scale + Fraction(1, 2)).__floor__()
    return Fraction(whole if value >= 0 else -whole, scale)


@dataclass(frozen=True)
class Stream:
    """All records that there are, and what follows from them whatever the rule."""

    records: tuple[Record, ...]
    users: tuple[tuple[float, str, float], ...] = ()
    """Rows of exposure: since when, build, users."""

    @cached_property
    def first_second(self) -> int:
        return min(record.second for record in self.records)

    @cached_property
    def last_second(self) -> int:
        return max(record.second for record in self.records)

    @cached_property
    def seconds(self) -> dict[str, list[int]]:
        """Of each build the seconds of its records, in order and with repetitions."""
        received = defaultdict(list)
        for record in sorted(self.records):
            received[record.build].append(record.second)
        return dict(received)

    @cached_property
    def since(self) -> dict[str, int]:
        """The second by which a build had sent enough records, over enough time, to take part in comparisons."""
        return {
            build: max(seconds[ESTABLISHED_RECORDS - 1], spanned)
            for build, seconds in self.seconds.items()
            if len(seconds) >= ESTABLISHED_RECORDS
            and (spanned := next((s for s in seconds if s >= seconds[0] + ESTABLISHED_SECONDS), None)) is not None
        }

    @cached_property
    def gaps(self) -> dict[str, list[tuple[int, int, bool]]]:
        """Of each build the stretches [from, until) in which it sent nothing, and whether it sent few before."""
        return {build: list(self._gaps(build, seconds)) for build, seconds in self.seconds.items()}

    def _gaps(self, build: str, seconds: list[int]) -> Iterator[tuple[int, int, bool]]:
        for before, after in pairwise([self.first_second - 1, *sorted(set(seconds)), self.last_second + 1]):
            silence = after - before - 1
            hour = bisect_right(seconds, before) - bisect_right(seconds, before - HOUR_SECONDS)
            if Fraction(silence * hour, HOUR_SECONDS) >= ESTABLISHED_RECORDS or silence > HOUR_SECONDS:
                clock_hour = before // HOUR_SECONDS * HOUR_SECONDS
                sent = self.records_in(build, clock_hour - HOUR_SECONDS, clock_hour + HOUR_SECONDS)
                yield before + 1, after, sent < ESTABLISHED_RECORDS

    def given_since(self, pair: Pair, config: Config) -> float | None:
        """From when on the users of both builds are given, if they are."""
        since = [min((s for s, build, _ in self.users if build == one), default=None) for one in pair]
        is_given = any(comparison.exposure is None for comparison in config.comparison)
        return max(s for s in since if s is not None) if is_given and None not in since else None

    def is_in_gap(self, pair: Pair, start: int, end: int, config: Config) -> bool:
        """Where both builds have users, who sends few errors is not missed."""
        given_since = self.given_since(pair, config)
        is_given = given_since is not None and start >= given_since
        found = (gap for build in pair for gap in self.gaps[build])
        return any(start < until and end > since and not (rare and is_given) for since, until, rare in found)

    def records_in(self, build: str, since: int, until: int) -> int:
        """How many records of a build lie in the seconds [since, until)."""
        seconds = self.seconds[build]
        return bisect_left(seconds, until) - bisect_left(seconds, since)

    def openings(self, comparisons: Iterable[Comparison]) -> dict[Pair, int]:
        """All pairs of builds that are ever compared, and when each opened; builds that are named: always."""
        found: dict[Pair, int] = {}
        for comparison in comparisons:
            for candidate in self.seconds:
                if comparison.candidate == "latest":
                    if candidate not in self.since or not fnmatchcase(candidate, comparison.builds):
                        continue
                elif candidate != comparison.candidate:
                    continue
                opening = self._opening(comparison, candidate)
                if opening is not None:
                    pair, opened = opening
                    found[pair] = min(opened, found.get(pair, opened))
        return found

    def _opening(self, comparison: Comparison, candidate: str) -> tuple[Pair, int] | None:
        ready = self.since[candidate] if comparison.candidate == "latest" else self.seconds[candidate][0]
        if comparison.baseline != "previous":
            ready = self.since[candidate] if comparison.candidate == "latest" else ALWAYS
            is_older = comparison.candidate == candidate or (
                comparison.baseline in self.seconds and version(comparison.baseline) < version(candidate)
            )
            known = comparison.baseline in self.seconds and comparison.baseline != candidate
            return (Pair(comparison.baseline, candidate), ready) if known and is_older else None
        older = {
            build: since
            for build, since in self.since.items()
            if version(build) < version(candidate) and fnmatchcase(build, comparison.builds)
        }
        if not older:
            return None
        opened = max(ready, min(older.values()))
        hour = opened // HOUR_SECONDS * HOUR_SECONDS

        def weight(build: str) -> tuple[object, ...]:
            before = self.records_in(build, hour - DAY_SECONDS, hour)
            still = self.records_in(build, hour - HOUR_SECONDS, hour + HOUR_SECONDS) > 0
            around = 0 if before else self.records_in(build, hour, hour + 2 * HOUR_SECONDS)
            return still, math.floor(8 * math.log(1 + before)), around, version(build)

        return Pair(max((b for b in older if older[b] < hour + 2 * HOUR_SECONDS), key=weight), candidate), opened

    def received_until(self, pair: Pair, config: Config) -> int:
        first, last = sorted(self.seconds[build][-1] for build in pair)
        return first if self.given_since(pair, config) is None else min(last, first + 7 * DAY_SECONDS)

    def is_placed(self, pair: Pair, start: int, config: Config) -> bool:
        """Whether the pair is one of the few that are compared in the block that the bin begins in."""
        block = start // BLOCK_SECONDS * BLOCK_SECONDS
        openings = {other: opened for other, opened in self.openings(config.comparison).items() if opened != ALWAYS}
        if block < openings.get(pair, block) < block + BLOCK_SECONDS:
            begin = sorted(
                (opened, other) for other, opened in openings.items() if block < opened < block + BLOCK_SECONDS
            )
            return (openings[pair], pair) in begin[: config.builds.max_comparisons]
        sizes = {
            other: size
            for other, opened in openings.items()
            if opened <= block and (size := min(self.records_in(build, block - HOUR_SECONDS, block) for build in other))
        }
        if pair not in sizes:
            return True
        by_size = sorted(sizes, key=lambda other: (-sizes[other], other))
        new = [other for other in by_size if openings[other] > block - HOUR_SECONDS]

        def rank(other: Pair) -> tuple[int, bool, int]:
            first = 0 if other == by_size[0] else 1 if new and other == new[0] else 2
            return first, openings[other] <= block - 7 * DAY_SECONDS, by_size.index(other)

        return pair in sorted(by_size, key=rank)[: config.builds.max_comparisons]

    def is_weighed(self, pair: Pair, start: int, end: int, config: Config) -> bool:
        """Whether the bin [start, end) counts for the pair: both builds are there, and it has a place."""
        opened = self.openings(config.comparison).get(pair)
        if opened is None or (opened != ALWAYS and end <= max(self.seconds[build][0] for build in pair)):
            return False
        return not self.is_in_gap(pair, start, end, config) and self.is_placed(pair, start, config)

    def is_judged(self, pair: Pair, start: int, end: int, config: Config, is_final: bool) -> bool:
        """Whether the bin [start, end) may raise an alert."""
        is_complete = is_final or end <= self.received_until(pair, config) - config.detect.lateness_seconds
        return (
            is_complete and self.is_weighed(pair, start, end, config) and end > self.openings(config.comparison)[pair]
        )


def alerts(records: Iterable[Record], config: Config, *, is_final: bool = False) -> dict[Key, Finding]:
    """Every alert that the rules of `config` raise on `records`, in whatever order these came."""
    rows = exposure.read(config).rows
    stream = Stream(
        tuple(records), tuple(((since - EPOCH).total_seconds(), build, users) for since, build, users in rows)
    )
    found: dict[Key, Finding] = {}
    for pair in permutations(stream.seconds, 2):
        for rule in config.rule:
            if isinstance(rule, Rule):
                found.update(_alerts_of(stream, config, rule, Pair(*pair), is_final))
    return found


def _alerts_of(stream: Stream, config: Config, rule: Rule, pair: Pair, is_final: bool) -> Iterator[tuple[Key, Finding]]:
    width = rule.bin_seconds
    bins = {start: _tally(rule, pair, seconds) for start, seconds in _bins(stream, rule, pair).items()}
    first_bin = stream.first_second - stream.first_second % width
    for stop in sorted({start + ahead * width for start in bins for ahead in range(max(rule.window_bins))}):
        if not _is_judged(stream, config, rule, pair, stop, is_final):
            continue
        for window_bins in rule.window_bins:
            start = stop - (window_bins - 1) * width
            window = [bins[second] for second in range(start, stop + 1, width) if second in bins]
            for code in {code for tally in window for code in tally.errors} if start >= first_bin else ():
                mean = rounded(Fraction(sum(tally.value(code) for tally in window), UNITS * window_bins), 9)
                if mean > Fraction(repr(rule.threshold)):
                    counts = [tally.errors[code] for tally in window if code in tally.errors]
                    yield Key(rule.name, *pair, code, window_bins, stop), _finding(start, stop + width, mean, counts)


def _finding(start: int, end: int, mean: Fraction, counts: list[tuple[int, int]]) -> Finding:
    baseline, candidate = (sum(side) for side in zip(*counts, strict=True))
    return Finding(
        start, end, mean, baseline, candidate, rounded(Fraction(candidate, baseline), 6) if baseline else None
    )


def _is_judged(stream: Stream, config: Config, rule: Rule, pair: Pair, start: int, is_final: bool) -> bool:
    """Whether the bin that begins at `start` may raise an alert."""
    return start <= stream.last_second and stream.is_judged(pair, start, start + rule.bin_seconds, config, is_final)


def _bins(stream: Stream, rule: Rule, pair: Pair) -> dict[int, Seconds]:
    """The active seconds of every bin that has some, by the bin's start."""
    bins: dict[int, Seconds] = defaultdict(lambda: defaultdict(lambda: defaultdict(Counter)))
    for record in stream.records:
        if record.build in pair:
            start = record.second - record.second % rule.bin_seconds
            bins[start][record.second][record.code][record.build] += 1
    return {start: dict(seconds) for start, seconds in bins.items()}


@dataclass(frozen=True)
class Tally:
    """A bin: the value (in whole 1e-12) and the errors of both builds of every code with a record in it.

    `quiet_value` is that of all other codes.
    """

    values: dict[str, int]
    errors: dict[str, tuple[int, int]]
    quiet_value: int

    def value(self, code: str) -> int:
        return self.values.get(code, self.quiet_value)


def _tally(rule: Rule, pair: Pair, seconds: Seconds) -> Tally:
    by_code: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for errors in seconds.values():
        for code, counts in errors.items():
            by_code[code].append((counts[pair.baseline], counts[pair.candidate]))
    return Tally(
        {code: bin_value(rule, counts, len(seconds)) for code, counts in by_code.items()},
        {code: (sum(b for b, _ in counts), sum(k for _, k in counts)) for code, counts in by_code.items()},
        bin_value(rule, [], len(seconds)),
    )


def bin_value(rule: Rule, recorded: list[tuple[int, int]], active_seconds: int) -> int:
    """The value of one bin in whole 1e-12, to which each of its terms is rounded.

    Args:
        recorded: baseline and candidate errors of each second with a record of the code. The other active seconds of
            the bin are one term: their number / W.
    """
    width = rule.bin_seconds
    if rule.detector == "mean_difference":
        return sum(candidate - baseline for baseline, candidate in recorded) * UNITS
    terms = [
        Fraction(candidate, baseline * width) if baseline else Fraction(width, 20) for baseline, candidate in recorded
    ]
    return sum(_units(term) for term in [*terms, Fraction(active_seconds - len(recorded), width)])


def _units(value: Fraction) -> int:
    return int(rounded(value, 12) * UNITS)
