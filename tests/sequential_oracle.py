"""The detector `sequential` once more, in plain Python, to hold the SQL against: docs/detection.md has the formulas.

Nothing is shared with the program but its settings. Every window is added up on its own, from its last bin back, where
the SQL subtracts running sums; blocks are looked up by number, where it counts rows; shares are asked of a moment,
where it joins stretches. Times are whole epoch seconds. Figures are not rounded, except where the rule itself says so.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache, cached_property
from itertools import accumulate, permutations
from statistics import median
from typing import NamedTuple

from streammetrics.config import Comparison, Config, SequentialRule
from tests.oracle import Key, Pair, Record, Stream

UNIT = 2**30
"""The evidence of a bin is a whole number of 1 / UNIT."""
BLOCK_SECONDS = 120
OLDEST_BLOCK, NEWEST_BLOCK, FEWEST_BLOCKS, FARTHEST_NEIGHBOUR = 182, 3, 8, 30
HOUR_SECONDS = 3600
DOUBT = math.log(1000)


class Evidence(NamedTuple):
    """What an alert of `sequential` says; `ratio` is None without errors of the baseline."""

    start: int
    end: int
    value: float
    baseline_errors: int
    candidate_errors: int
    ratio: float | None
    exposure: str
    candidate_share: float
    tested_share: float
    dispersion: float


class Share(NamedTuple):
    """The candidate's share of exposure in a bin, how it is known, and the highest that it may be."""

    exposure: str
    candidate: float
    tested: float


class Counts(NamedTuple):
    baseline: int
    candidate: int

    @property
    def both(self) -> int:
        return self.baseline + self.candidate


Users = Iterable[tuple[datetime, str, float]]


def alerts(
    records: Iterable[Record], config: Config, users: Users = (), *, is_final: bool = False
) -> dict[Key, Evidence]:
    """Every alert that the rules `sequential` of `config` raise; `users` are the rows of exposure."""
    stream = Stream(tuple(records))
    since = [((moment - datetime(1970, 1, 1)).total_seconds(), build, number) for moment, build, number in users]
    found: dict[Key, Evidence] = {}
    for names in permutations(stream.seconds, 2):
        for rule in config.rule:
            if isinstance(rule, SequentialRule):
                judged = Judged(stream, config, rule, Pair(*names), is_final, tuple(since))
                found.update(judged.alerts())
    return found


@dataclass(frozen=True, eq=False)
class Judged:
    """One pair of builds as a rule sees it."""

    stream: Stream
    config: Config
    rule: SequentialRule
    pair: Pair
    is_final: bool
    users: tuple[tuple[float, str, float], ...]

    @property
    def width(self) -> int:
        return self.rule.bin_seconds

    @cached_property
    def first_bin(self) -> int:
        return self.stream.first_second // self.width * self.width

    @cached_property
    def weighed(self) -> set[int]:
        """The bins that the pair rules and in which both builds were heard; errors of others count for nothing."""
        return {
            start
            for start in range(self.first_bin, self.stream.last_second + 1, self.width)
            if self.pair in self.stream.pairs_at(start + self.width, self.config.comparison)
            and not self.stream.is_in_gap(self.pair, start, start + self.width)
        }

    @cached_property
    def counts(self) -> dict[str, dict[int, Counts]]:
        """Of each code the errors in weighed bins."""
        tallies: Counter[tuple[str, int, str]] = Counter()
        for record in self.stream.records:
            start = record.second // self.width * self.width
            if record.build in self.pair and start in self.weighed:
                tallies[record.code, start, record.build] += 1
        found: dict[str, dict[int, Counts]] = defaultdict(dict)
        for code, start, _ in tallies:
            found[code][start] = Counts(*(tallies[code, start, build] for build in self.pair))
        return dict(found)

    @cached_property
    def comparison(self) -> Comparison:
        """Comparisons of these tests have one kind of exposure."""
        return self.config.comparison[0]

    def alerts(self) -> Iterator[tuple[Key, Evidence]]:
        for code in self.counts:
            for stop in sorted(self.weighed):
                if self._is_complete(stop) and (found := self._evidence(code, stop)):
                    window_bins = (found.end - found.start) // self.width
                    yield Key(self.rule.name, *self.pair, code, window_bins, stop), found

    def _is_complete(self, stop: int) -> bool:
        heard = min(self.stream.seconds[build][-1] for build in self.pair) - self.config.detect.lateness_seconds
        return self.is_final or stop + self.width <= heard

    # Exposure

    def share(self, start: int) -> Share:
        tolerance = self.comparison.exposure_tolerance
        known: float | None = 0.5
        tested = None
        if self.comparison.exposure == "equal":
            pass
        elif self.comparison.exposure == "estimated":
            known, tested = self.estimate(start // BLOCK_SECONDS * BLOCK_SECONDS)
        else:
            known = self._given(start)
        share = 0.5 if known is None else known
        exposure = self._assumed(start) if known is None else self.comparison.exposure or "given"
        highest = max(share if tested is None else tested, 0.0001) * (1 + tolerance)
        return Share(exposure, min(max(share, 0.0001), 0.9999), min(highest, 0.9999))

    def _assumed(self, start: int) -> str:
        """Equal shares are doubtful where one build sent less than a fifth of all records in the hour before."""
        block = start // BLOCK_SECONDS * BLOCK_SECONDS
        told = [c for counts in self.counts.values() for s, c in counts.items() if self._is_before(s, block)]
        errors = sum(c.both for c in told)
        is_doubtful = errors > 0 and abs(sum(c.candidate for c in told) / errors - 0.5) > 0.3
        return "doubtful" if is_doubtful else "assumed"

    @staticmethod
    def _is_before(start: int, block: int) -> bool:
        """Whether a bin's block lies in the hour before a block."""
        return block - HOUR_SECONDS <= start // BLOCK_SECONDS * BLOCK_SECONDS < block

    def _given(self, start: int) -> float | None:
        """The highest share that holds at a moment of the bin."""
        changes = [since for since, build, _ in self.users if build in self.pair and start < since < start + self.width]
        shares = [self._given_at(moment) for moment in (start, *changes)]
        return max((share for share in shares if share is not None), default=None)

    def _given_at(self, moment: float) -> float | None:
        said = {build: number for since, build, number in sorted(self.users) if since <= moment}
        if not set(self.pair) <= said.keys() or not said[self.pair.baseline] + said[self.pair.candidate]:
            return None
        return said[self.pair.candidate] / (said[self.pair.baseline] + said[self.pair.candidate])

    @cache  # noqa: B019 lives as long as the test
    def estimate(self, block: int) -> tuple[float | None, float]:
        """The share in the middle half of the votes over the hour before a block, and the highest that it may be.

        Before the stream has told of a share nothing is guessed: with all of it no candidate has too many errors.
        """
        hour = range(block - HOUR_SECONDS, block)
        heard = {}
        for code, counts in self.counts.items():
            told = [c for start, c in counts.items() if start // BLOCK_SECONDS * BLOCK_SECONDS in hour]
            if told:
                heard[code] = sum(c.candidate for c in told), sum(c.both for c in told)
        votes = sorted(_votes(heard), key=lambda vote: Fraction(*vote))
        number = len(votes)
        middle = [vote for place, vote in enumerate(votes, start=1) if number <= 4 * place - 2 <= 3 * number]
        k, n = (sum(side) for side in zip(*middle, strict=True)) if middle else (0, 0)
        if not n:
            return None, 1
        return k / n, (k + 4.5 + 3 * math.sqrt(k * (n - k) / n + 2.25)) / (n + 9)

    # Bursts

    def block(self, start: int) -> int:
        """The number of a bin's block; a wider bin is a block of its own."""
        return start // max(self.width, BLOCK_SECONDS)

    @cached_property
    def blocks(self) -> dict[str, dict[int, tuple[int, int, float]]]:
        """Of each code the blocks with an error: errors, errors of the candidate, and how many were to be its."""
        found: dict[str, dict[int, tuple[int, int, float]]] = defaultdict(dict)
        for code, counts in self.counts.items():
            for start, c in counts.items():
                n, k, e = found[code].get(self.block(start), (0, 0, 0.0))
                expected = e + c.both * self.share(start).candidate
                found[code][self.block(start)] = (n + c.both, k + c.candidate, expected)
        return found

    @cache  # noqa: B019
    def own_dispersion(self, code: str, block: int) -> tuple[float, int] | None:
        """How far the share moves from one block with errors to the next, and of how many pairs of them."""
        told = self.blocks[code]
        near = [number for number in told if block - OLDEST_BLOCK <= number <= block - NEWEST_BLOCK]
        increase = sum(told[number][1] for number in near) / (sum(told[number][2] for number in near) or 1)
        pairs = 0
        spread = scale = excess = 0.0
        for number in near:
            before = max((other for other in told if number - FARTHEST_NEIGHBOUR <= other < number), default=None)
            if before is not None:
                (n0, k0, e0), (n, k, e) = told[before], told[number]
                pairs += 1
                spread += (k * e0 - k0 * e) ** 2 / (e + e0)
                scale += e * e0
                excess += (e * e0) ** 2 / (e + e0) * (1 / n + 1 / n0)
        if pairs < FEWEST_BLOCKS - 1 or increase * excess >= 0.999999 * scale or not increase:
            return None
        return round(spread / (increase * (scale - increase * excess)), 6), pairs

    @cache  # noqa: B019
    def weight(self, code: str, block: int) -> float:
        known = [own[0] for c in self.counts if (own := self.own_dispersion(c, block)) is not None]
        if not known:
            return 0.0
        usual = max(1.0, median(known))
        own = self.own_dispersion(code, block)
        is_own = own is not None and own[0] > usual * (1 + 3 * math.sqrt(3 / own[1]))
        dispersion = own[0] if own is not None and is_own else usual
        return 1 / math.sqrt((dispersion + 0.5) ** 2 - 1.25)

    # Evidence

    @cached_property
    def gains(self) -> dict[tuple[str, int], list[int]]:
        """Of each bin with an error of the code what it says for each ratio of the grid."""
        found = {}
        for code, counts in self.counts.items():
            for start, errors in counts.items():
                weight = self.weight(code, self.block(start))
                found[code, start] = [
                    math.floor(weight * self._likelihood(errors, self.share(start).tested, ratio) * UNIT + 0.5)
                    for ratio in self.rule.rate_ratios
                ]
        return found

    def _likelihood(self, errors: Counts, share: float, ratio: float) -> float:
        """Of how much likelier errors are with this ratio than with the highest that is fine, the logarithm."""
        fine = self.rule.min_ratio
        shares = (1 + (ratio - 1) * share) / (1 + (fine - 1) * share)
        return errors.candidate * math.log(ratio / fine) - errors.both * math.log(shares)

    def _windows(self, code: str, stop: int) -> dict[int, list[float]]:
        """Of each window that ends in a bin, by its length, the log likelihood ratio of each place of the grid.

        Lengths in between the rule's tell more closely when an increase ended.
        """
        places = len(self.rule.rate_ratios)
        between = [
            length - starts * third // 3
            for length, starts in zip(self.rule.window_bins, steps(self.rule.window_bins), strict=True)
            for third in (1, 2)
        ]
        asked = sorted({*self.rule.window_bins, *between})
        lengths = [n for n in asked if stop - n * self.width >= self.first_bin]
        back = [
            self.gains.get((code, stop - ahead * self.width), [0] * places) for ahead in range(max(lengths, default=0))
        ]
        sums = [list(accumulate(gain[place] for gain in back)) for place in range(places)]
        return {n: [sums[place][n - 1] / UNIT for place in range(places)] for n in lengths}

    def _evidence(self, code: str, stop: int) -> Evidence | None:
        windows = self._windows(code, stop)
        skipped = dict(zip(self.rule.window_bins, steps(self.rule.window_bins), strict=True))
        terms = {
            (n, place): likelihood + math.log(skipped[n]) - math.log(len(likelihoods))
            for n, likelihoods in windows.items()
            if n in skipped
            for place, likelihood in enumerate(likelihoods)
        }
        if not terms:
            return None
        top = max(terms.values())
        value = (top + math.log(sum(math.exp(term - top) for term in terms.values()))) / math.log(10)
        if round(value, 9) < self.rule.threshold or self._is_over(windows, terms):
            return None
        length, _ = max(terms, key=lambda key: (windows[key[0]][key[1]], -key[0], -key[1]))
        start = stop - (length - 1) * self.width
        return None if self._is_silent(code, start, stop) else self._told(code, start, stop, value)

    def _exposure(self, stop: int, expected: float, errors: int) -> str:
        """How the share is known; one that was given may have changed since the onset."""
        share = self.share(stop)
        is_changing = share.exposure == "given" and abs(expected - errors * share.candidate) > 0.001
        return "changing" if is_changing else share.exposure

    def _is_over(self, windows: dict[int, list[float]], terms: dict[tuple[int, int], float]) -> bool:
        """Whether an increase that ended before the bin is so much likelier than any that goes on.

        If so, one of the windows that begin after it ended may be enough by itself.
        """
        running = max(likelihood for likelihoods in windows.values() for likelihood in likelihoods)
        ended = [
            (longer - shorter, -m)
            for n, since in windows.items()
            for m, until in windows.items()
            if m < n
            for longer, shorter in zip(since, until, strict=True)
        ]
        likeliest, length = max(ended, default=(-math.inf, 0))
        alone = max((term for (n, _), term in terms.items() if n < -length), default=-math.inf)
        return likeliest - running > DOUBT and alone < self.rule.threshold * math.log(10)

    def _is_silent(self, code: str, start: int, stop: int) -> bool:
        """Whether errors are missing that the rate since the onset lets expect, so many that hardly by chance."""
        last = max(s for s in self.counts[code] if s <= stop)
        active = sum(start <= s <= last for s in self.weighed)
        silent = sum(last < s <= stop for s in self.weighed)
        weighed = sum(
            c.both * self.weight(code, self.block(s)) for s, c in self.counts[code].items() if start <= s <= stop
        )
        return weighed * silent > DOUBT * active

    def _told(self, code: str, start: int, stop: int, value: float) -> Evidence:
        counts = {s: c for s, c in self.counts[code].items() if start <= s <= stop}
        b, k = (sum(c[side] for c in counts.values()) for side in (0, 1))
        e = sum(c.both * self.share(s).candidate for s, c in counts.items())
        tested = sum(c.both * self.share(s).tested for s, c in counts.items())
        weighed = sum(c.both * self.weight(code, self.block(s)) for s, c in counts.items())
        return Evidence(
            start,
            stop + self.width,
            value,
            b,
            k,
            k * (b + k - e) / (b * e) if b else None,
            self._exposure(stop, e, b + k),
            e / (b + k),
            tested / (b + k),
            (b + k) / weighed,
        )


def _votes(heard: dict[str, tuple[int, int]]) -> list[tuple[int, int]]:
    """Errors of the candidate and of both, in turn of the codes: a vote for 20 of the rarer build that were to come."""
    if len(heard) < 2:
        return list(heard.values())
    rest = [sum(side) - max(side) for side in zip(*((k, n - k, n) for k, n in heard.values()), strict=True)]
    found: dict[int, tuple[int, int]] = {}
    up_to = 0
    for code in sorted(heard):
        k, n = heard[code]
        up_to += n
        vote = up_to * min(rest[0], rest[1]) // (20 * rest[2])
        before = found.get(vote, (0, 0))
        found[vote] = before[0] + k, before[1] + n
    return list(found.values())


def steps(lengths: Sequence[int]) -> list[int]:
    """How many starts each window stands for: those from the length before it up to its own."""
    return [length - before for before, length in zip((0, *lengths), lengths, strict=False)]
