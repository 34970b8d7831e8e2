"""The two reference rules once more, in plain Python and exact arithmetic, to hold the SQL against.

Nothing here is fast, and nothing is shared with the program but its settings: every bin is looked at on its own, every
sum is a whole number of 1e-12, and a decision compares fractions. Times are whole epoch seconds.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, permutations
from typing import NamedTuple

from streammetrics.config import Comparison, Config, Rule

UNITS = 10**12
"""Bin values are DECIMAL(38, 12): whole numbers of these."""
ESTABLISHED_RECORDS = 20
HOUR_SECONDS = 3600

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

    @cached_property
    def first_second(self) -> int:
        return min(record.second for record in self.records)

    @cached_property
    def last_second(self) -> int:
        return max(record.second for record in self.records)

    @cached_property
    def seconds(self) -> dict[str, list[int]]:
        """Of each build the seconds of its records, in order and with repetitions."""
        heard = defaultdict(list)
        for record in sorted(self.records):
            heard[record.build].append(record.second)
        return dict(heard)

    @cached_property
    def since(self) -> dict[str, int]:
        """The second by which a build had sent enough records to take part in `previous` and `latest`."""
        return {
            build: seconds[ESTABLISHED_RECORDS - 1]
            for build, seconds in self.seconds.items()
            if len(seconds) >= ESTABLISHED_RECORDS
        }

    @cached_property
    def gaps(self) -> dict[str, list[tuple[int, int]]]:
        """Of each build the stretches [from, until) in which it should have been heard and was not."""
        return {build: list(self._gaps(seconds)) for build, seconds in self.seconds.items()}

    def _gaps(self, seconds: list[int]) -> Iterator[tuple[int, int]]:
        for before, after in pairwise([self.first_second - 1, *sorted(set(seconds)), self.last_second + 1]):
            silence = after - before - 1
            hour = bisect_right(seconds, before) - bisect_right(seconds, before - HOUR_SECONDS)
            if Fraction(silence * hour, HOUR_SECONDS) >= ESTABLISHED_RECORDS or silence > HOUR_SECONDS:
                yield before + 1, after

    def is_in_gap(self, pair: Pair, start: int, end: int) -> bool:
        return any(start < until and end > since for build in pair for since, until in self.gaps[build])

    def pairs_at(self, end: int, comparisons: Iterable[Comparison]) -> set[Pair]:
        """The builds that are compared in the bin that ends at `end`."""
        found = set()
        for comparison in comparisons:
            competing = [
                build for build, since in self.since.items() if since < end and fnmatchcase(build, comparison.builds)
            ]
            candidate = self._highest(comparison.candidate, "latest", competing)
            if candidate is None:
                continue
            older = [build for build in competing if version(build) < version(candidate)]
            baseline = self._highest(comparison.baseline, "previous", older)
            if baseline is not None and baseline != candidate:
                found.add(Pair(baseline, candidate))
        return found

    def _highest(self, wanted: str, word: str, competing: list[str]) -> str | None:
        if wanted == word:
            return max(competing, key=version, default=None)
        return wanted if wanted in self.seconds else None


def alerts(records: Iterable[Record], config: Config, *, is_final: bool = False) -> dict[Key, Finding]:
    """Every alert that the rules of `config` raise on `records`, in whatever order these came."""
    stream = Stream(tuple(records))
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
    end = start + rule.bin_seconds
    heard_until = min(stream.seconds[build][-1] for build in pair) - config.detect.lateness_seconds
    is_complete = start <= stream.last_second if is_final else end <= heard_until
    return is_complete and pair in stream.pairs_at(end, config.comparison) and not stream.is_in_gap(pair, start, end)


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
