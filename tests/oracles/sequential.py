"""The detector `sequential` once more, in plain Python, to hold the SQL against: docs/detection.md has the formulas.

Nothing is shared with the program but its settings. Every start and every end of an increase is tried, where the SQL
takes minima of frames; blocks are looked up by number, where it counts rows; shares are looked up by a moment, where it
joins stretches. Times are whole epoch seconds. Figures are not rounded, except where the rule itself says so.
"""

import hashlib
import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache, cached_property
from itertools import accumulate, permutations
from statistics import mean, median
from typing import NamedTuple

from streammetrics.config import Comparison, Config, SequentialRule
from tests.oracles.mean_rules import Key, Pair, Record, Stream

GAIN_UNIT, SPREAD_UNIT = 2**30, 2**20
"""Gains and spreads are whole numbers of these fractions."""
MOST_NATS, MOST_SPREAD = 500, 200
BLOCK_SECONDS = 120
OLDEST_BLOCK, FARTHEST_NEIGHBOUR = 180, 30
PRIOR, PRIOR_BLOCKS, POOL_BLOCKS = 15, 6, 4
OWN_BLOCKS = 10
"""A code's own dispersion counts where it is above the usual one by the root of so many blocks to those known."""
PLAUSIBLE_ERRORS, PLAUSIBLE_TIMES = 2, 1.5
"""What counts in a bin: so many errors, over the weight, and so many times what the ratio makes of the usual number."""
USUAL_LOSSES = 3
"""A threshold is in information time: of bins that lose a nat in so many on average."""
HOUR_SECONDS, DAY_SECONDS = 3600, 86400
DOUBT = 6.907755
"""ln 1000: how much likelier an end, or silence, has to be."""


class Evidence(NamedTuple):
    """What an alert of `sequential` says; `ratio` is None without errors of the baseline."""

    start: int
    end: int
    value: float
    threshold: float
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
    since = [((moment - datetime(1970, 1, 1)).total_seconds(), build, number) for moment, build, number in users]
    stream = Stream(tuple(records), tuple(since))
    found: dict[Key, Evidence] = {}
    for rule in config.rule:
        if isinstance(rule, SequentialRule):
            names = permutations(stream.seconds, 2)
            pairs = [Judged(stream, config, rule, Pair(*both), is_final, tuple(since)) for both in names]
            bursts = Bursts(tuple(pair for pair in pairs if pair.weighed))
            for pair in bursts.pairs:
                for code in pair.counts:
                    found.update(Series(pair, code, bursts).alerts())
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
        """The bins that the pair rules and in which both builds sent records; errors of others count for nothing."""
        return {
            start
            for start in range(self.first_bin, self.stream.last_second + 1, self.width)
            if self.stream.is_weighed(self.pair, start, start + self.width, self.config)
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
    def known_counts(self) -> dict[str, dict[int, Counts]]:
        """Those after the bin in which the baseline first sent the code: what it never sent tells nothing of shares."""
        first: dict[str, int] = {}
        for record in self.stream.records:
            if record.build == self.pair.baseline:
                first[record.code] = min(record.second, first.get(record.code, record.second))
        return {
            code: {start: c for start, c in counts.items() if start > first[code]}
            for code, counts in self.counts.items()
            if code in first
        }

    @cached_property
    def comparison(self) -> Comparison:
        """Comparisons of these tests have one kind of exposure."""
        return self.config.comparison[0]

    def is_judged(self, stop: int) -> bool:
        return self.stream.is_judged(self.pair, stop, stop + self.width, self.config, self.is_final)

    # Exposure

    @cache  # noqa: B019 lives as long as the test
    def share(self, start: int) -> Share:
        exposure, share, tested = self._share(start)
        highest = max(tested, 0.0001) * (1 + self.comparison.exposure_tolerance)
        return Share(exposure, min(max(share, 0.0001), 0.9999), min(highest, 0.9999))

    def _share(self, start: int) -> tuple[str, float, float]:
        """What the settings ask for; of builds that they do not name an estimate where no users are given."""
        wanted = self.comparison.exposure
        if wanted == "equal":
            return "equal", 0.5, 0.5
        if wanted is None and (given := self._given(start)) is not None:
            return "given", given, given
        if wanted is None and self.comparison.baseline != "previous" and self.comparison.candidate != "latest":
            return self._assumed(start), 0.5, 0.5
        known, tested, codes = self.estimate(start // BLOCK_SECONDS * BLOCK_SECONDS)
        if wanted is None and 0 < codes < 3:
            return self._assumed(start), 0.5, 0.5
        return (self._assumed(start), 0.5, tested) if known is None else ("estimated", known, tested)

    def _assumed(self, start: int) -> str:
        """Equal shares are doubtful where one build sent less than a fifth of all records in the hour before."""
        block = start // BLOCK_SECONDS * BLOCK_SECONDS
        counted = [c for counts in self.known_counts.values() for s, c in counts.items() if self._is_before(s, block)]
        errors = sum(c.both for c in counted)
        is_doubtful = errors > 0 and abs(sum(c.candidate for c in counted) / errors - 0.5) > 0.3
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
        users = {build: number for since, build, number in sorted(self.users) if since <= moment}
        if not set(self.pair) <= users.keys() or not users[self.pair.baseline] + users[self.pair.candidate]:
            return None
        return users[self.pair.candidate] / (users[self.pair.baseline] + users[self.pair.candidate])

    @cache  # noqa: B019
    def estimate(self, block: int) -> tuple[float | None, float, int]:
        """The share in the middle half of the votes over the hour before a block, the highest it may be, of how many.

        Before the stream has shown a share it is a half; what other codes do since the onset corrects that.
        """
        sent: dict[str, tuple[int, int]] = {}
        codes: Counter[str] = Counter()
        for code, counts in self.known_counts.items():
            counted = [c for start, c in counts.items() if self._is_before(start, block)]
            if counted:
                group = hashlib.md5(code.encode(), usedforsecurity=False).hexdigest()[:2]
                codes[group] += 1
                k, n = sent.get(group, (0, 0))
                sent[group] = k + sum(c.candidate for c in counted), n + sum(c.both for c in counted)
        votes = sorted(_votes(sent), key=lambda vote: Fraction(*vote))
        number = len(votes)
        middle = [vote for place, vote in enumerate(votes, start=1) if number <= 4 * place - 2 <= 3 * number]
        k, n = (sum(side) for side in zip(*middle, strict=True)) if middle else (0, 0)
        if not n:
            return None, 0.5, 0
        highest = (k + 0.5 + math.sqrt(k * (n - k) / n + 0.25)) / (n + 1)
        return k / n, highest, sum(min(number, 2) for number in codes.values())


class Block(NamedTuple):
    """Errors of a code in two minutes: of both builds, of the candidate, and how many were to be its."""

    n: int
    k: int
    e: float


@dataclass(frozen=True, eq=False)
class Bursts:
    """What errors count for: all pairs that a rule compares tell of it."""

    pairs: tuple[Judged, ...]

    def block(self, start: int) -> int:
        """The number of a bin's block; a wider bin is a block of its own."""
        return start // max(self.pairs[0].width, BLOCK_SECONDS)

    @cached_property
    def blocks(self) -> dict[tuple[Pair, str], dict[int, Block]]:
        """Of each code of a pair the blocks with an error."""
        found: dict[tuple[Pair, str], dict[int, Block]] = {}
        for pair in self.pairs:
            for code, counts in pair.counts.items():
                blocks = found[pair.pair, code] = {}
                for number in {self.block(start) for start in counts}:
                    counted = {start: c for start, c in counts.items() if self.block(start) == number}
                    expected = sum(c.both * round(pair.share(start).candidate * 10**12) for start, c in counted.items())
                    blocks[number] = Block(
                        sum(c.both for c in counted.values()),
                        sum(c.candidate for c in counted.values()),
                        expected / 10**12,
                    )
        return found

    @cached_property
    def spreads(self) -> list[tuple[str, int, float]]:
        """Code, block, and how far the share has moved since the block before, by what chance alone would move it."""
        found = []
        for (_, code), blocks in self.blocks.items():
            for number, block in blocks.items():
                before = max((other for other in blocks if number - FARTHEST_NEIGHBOUR <= other < number), default=None)
                if before is not None and (spread := _spread(block, blocks[before])) is not None:
                    found.append((code, number, spread))
        return found

    @cache  # noqa: B019
    def own(self, code: str, block: int) -> tuple[float, int]:
        """The dispersion of a code before a block, in all pairs, and how many blocks it is estimated from."""
        near = [(other, spread) for other, b, spread in self.spreads if block - OLDEST_BLOCK <= b < block]
        pool = (PRIOR_BLOCKS * PRIOR + sum(spread for _, spread in near)) / (PRIOR_BLOCKS + len(near))
        counted = [spread for other, spread in near if other == code]
        known = POOL_BLOCKS + len(counted)
        return (POOL_BLOCKS * pool + sum(counted)) / known, known

    @cache  # noqa: B019
    def weight(self, pair: Pair, code: str, block: int) -> float:
        own, known = self.own(code, block)
        usual = self.usual(pair, block)
        is_own = usual is None or own > max(1.0, usual) * (1 + math.sqrt(OWN_BLOCKS / known))
        dispersion = max(1.0, own if is_own or usual is None else usual)
        return 1 / math.sqrt((dispersion + 0.5) ** 2 - 1.25)

    @cache  # noqa: B019
    def usual_errors(self, pair: Pair, code: str, block: int) -> float | None:
        """Errors of both builds in a bin, on average of the blocks with errors in the hour before."""
        blocks = self.blocks[pair, code]
        counted = [blocks[number].n for number in range(block - FARTHEST_NEIGHBOUR, block) if number in blocks]
        width = self.pairs[0].width
        return mean(counted) * width / max(width, BLOCK_SECONDS) if counted else None

    @cache  # noqa: B019
    def usual(self, pair: Pair, block: int) -> float | None:
        """The median over the codes in the last block with errors of the pair, as of its end, if it lies near."""
        numbers = {number for (other, _), blocks in self.blocks.items() if other == pair for number in blocks}
        before = max((number for number in numbers if block - FARTHEST_NEIGHBOUR <= number < block), default=None)
        if before is None:
            return None
        codes = [code for (other, code), blocks in self.blocks.items() if other == pair and before in blocks]
        return median(self.own(code, before + 1)[0] for code in codes)


def _spread(block: Block, before: Block) -> float | None:
    """None where chance could not have moved the share: it tells nothing."""
    (n, k, e), (n0, k0, e0) = block, before
    scale = (k + k0) * e * e0
    variance = scale - (scale / (e + e0)) ** 2 * (1 / n + 1 / n0)
    if variance <= 1e-9 * e * e0 * (e + e0):
        return None
    spread = (k * e0 - k0 * e) ** 2 / variance * (n + n0 - 1) / (n + n0)
    return math.floor(min(spread, MOST_SPREAD) * SPREAD_UNIT + 0.5) / SPREAD_UNIT


class Increase(NamedTuple):
    """The likeliest one as of a bin with errors: where it began, its evidence and what it takes, in nats."""

    onset: int
    nats: float
    threshold: float


@dataclass(frozen=True, eq=False)
class Series:
    """One code of a pair. A place is that of a bin in `bins`: those with errors."""

    pair: Judged
    code: str
    bursts: Bursts

    @cached_property
    def counts(self) -> dict[int, Counts]:
        return self.pair.counts[self.code]

    @cached_property
    def bins(self) -> list[int]:
        return sorted(self.counts)

    def weight(self, start: int) -> float:
        return self.bursts.weight(self.pair.pair, self.code, self.bursts.block(start))

    def usual_errors(self, start: int) -> float | None:
        return self.bursts.usual_errors(self.pair.pair, self.code, self.bursts.block(start))

    @cached_property
    def gains(self) -> list[list[int]]:
        """Of each ratio what the bins say for it."""
        return [[self._gain(start, ratio) for start in self.bins] for ratio in self.pair.rule.rate_ratios]

    def _gain(self, start: int, ratio: float) -> int:
        errors, weight, usual = self.counts[start], self.weight(start), self.usual_errors(start)
        up, down = self._worths(start, ratio)
        gain = weight * (errors.candidate * up - errors.both * down)
        if gain > 0 and usual is not None:
            times = 1 + (ratio - 1) * self.pair.share(start).tested
            plausible = PLAUSIBLE_ERRORS / weight + PLAUSIBLE_TIMES * usual * times
            gain *= min(1, plausible / errors.both)
        return math.floor(max(-MOST_NATS, min(MOST_NATS, gain)) * GAIN_UNIT + 0.5)

    def _worths(self, start: int, ratio: float) -> tuple[float, float]:
        """What an error of the candidate says for a ratio, and what one of either build says against it."""
        fine, p = self.pair.rule.min_ratio, self.pair.share(start).tested
        return math.log(ratio / fine), math.log((1 + (ratio - 1) * p) / (1 + (fine - 1) * p))

    @cached_property
    def sums(self) -> list[list[int]]:
        """Of each ratio the sum of gains before each bin, and after the last."""
        return [[0, *accumulate(gains)] for gains in self.gains]

    def _first(self, place: int) -> int:
        """The first bin of the history of another."""
        return bisect_right(self.bins, self.bins[place] - self.pair.rule.window_bins[0] * self.pair.width)

    @cached_property
    def evidence(self) -> list[list[float]]:
        """Of each bin the evidence for each ratio, from the best start within the history."""
        return [self._since(self._first(place), place) for place in range(len(self.bins))]

    def _since(self, first: int, place: int) -> list[float]:
        return [max(0, sums[place + 1] - min(sums[first : place + 1])) / GAIN_UNIT for sums in self.sums]

    def _thresholds(self, place: int) -> list[float]:
        """What it takes for each ratio, in information time: by what the usual errors lose without a change."""
        return [self._threshold(self.bins[place], ratio) for ratio in self.pair.rule.rate_ratios]

    def _threshold(self, start: int, ratio: float) -> float:
        fine, p, usual = self.pair.rule.min_ratio, self.pair.share(start).tested, self.usual_errors(start)
        up, down = self._worths(start, ratio)
        loss = math.inf if usual is None else self.weight(start) * usual * (down - fine * p / (1 + (fine - 1) * p) * up)
        alarm_bins, day_bins = 10**self.pair.rule.threshold, DAY_SECONDS / self.pair.width
        return math.log(max(day_bins, alarm_bins * min(1, USUAL_LOSSES * loss)))

    def alerts(self) -> Iterator[tuple[Key, Evidence]]:
        """What the last bin with errors tells stands until the next, for an hour at most."""
        for stop in filter(self.pair.is_judged, sorted(self.pair.weighed)):
            place = bisect_right(self.bins, stop) - 1
            if place < 0 or stop >= self.bins[place] + HOUR_SECONDS:
                continue
            found = self._increase(place)
            if found is None or self._is_common(found, self.bins[place]):
                continue
            if not self._is_silent(found.onset, stop):
                window_bins = (stop - found.onset) // self.pair.width + 1
                yield (
                    Key(self.pair.rule.name, *self.pair.pair, self.code, window_bins, stop),
                    self._reported(found, stop),
                )

    @cache  # noqa: B019
    def _increase(self, place: int) -> Increase | None:
        thresholds = self._thresholds(place)
        if all(nats < least for nats, least in zip(self.evidence[place], thresholds, strict=True)):
            return None
        ended = self._ended(place)
        first = self._first(place) if ended is None else self._restart(ended + 1, place)
        nats = self._since(first, place)
        best = max(range(len(nats)), key=lambda ratio: (nats[ratio] - thresholds[ratio], -ratio))
        sums = self.sums[best]
        onset = max(before for before in range(first, place + 1) if sums[before] == min(sums[first : place + 1]))
        if nats[best] < thresholds[best] or self._is_brief(onset, place):
            return None
        return Increase(self.bins[onset], nats[best], thresholds[best])

    def _ended(self, place: int) -> int | None:
        """The bin with which an increase ended, if that is so much likelier than that one goes on.

        It ended where the likeliest ratio had the most evidence, or later, where its gains added up to the most:
        evidence also goes where the history moves on.
        """
        history = range(self._first(place), place + 1)
        peak = max(history, key=lambda before: (max(self.evidence[before]), before))
        sums = self.sums[self.evidence[peak].index(max(self.evidence[peak]))]
        end = max(peak, max(history, key=lambda before: (sums[before + 1], before)))
        return end if (sums[end + 1] - sums[place + 1]) / GAIN_UNIT > DOUBT else None

    def _restart(self, first: int, place: int) -> int:
        """The first bin that counts of those since an end: the one after a second end, if that is so much likelier.

        An increase ended there where evidence was highest that began since the first end.
        """
        since = range(first, place + 1)
        starts = [list(accumulate(sums[first : place + 1], min)) for sums in self.sums]
        risen = {
            end: max(sums[end + 1] - least[end - first] for sums, least in zip(self.sums, starts, strict=True))
            for end in since
        }
        peak = max(since, key=risen.__getitem__)
        return peak + 1 if (risen[peak] - risen[place]) / GAIN_UNIT > DOUBT else first

    def _is_brief(self, onset: int, place: int) -> bool:
        """Whether the candidate's errors above what is fine lie as closely as in `min_bins` bins.

        Of so many bins with an equal excess the square of their sum is that many times the sum of their squares. From
        these is taken what they are by chance alone.
        """
        excess = squares = 0.0
        for start in self.bins[onset : place + 1]:
            errors, p, fine = self.counts[start], self.pair.share(start).tested, self.pair.rule.min_ratio
            p = fine * p / (1 + (fine - 1) * p)
            excess += errors.candidate - errors.both * p
            squares += (errors.candidate - errors.both * p) ** 2 - errors.both * p * (1 - p)
        return excess**2 <= self.pair.rule.least_bins * squares

    @cache  # noqa: B019
    def _others(self, onset: int, last: int) -> tuple[float, float]:
        """Errors of the candidate and of both builds since the onset, of the half of the other codes that rose least.

        No code counts for more than codes do on average. Nothing is required of them where exposure is not estimated.
        """
        sent = []
        for code, counts in sorted(self.pair.counts.items()):
            counted = [c for start, c in counts.items() if onset <= start <= last]
            if code != self.code and counted:
                sent.append((Fraction(sum(c.candidate for c in counted), sum(c.both for c in counted)), counted))
        if len(sent) < 2 or self.pair.share(last).exposure not in ("estimated", "assumed", "doubtful"):
            return 0, 0
        errors = [sum(c.both for c in counted) for _, counted in sent]
        by_share = sorted(
            (
                (share, min(Fraction(n), Fraction(sum(errors), len(errors))))
                for (share, _), n in zip(sent, errors, strict=True)
            ),
            key=lambda code: code[0],
        )
        total, reach, k, n = sum(weight for _, weight in by_share), Fraction(0), 0.0, 0.0
        for share, weight in by_share:
            if 2 * reach < total:
                k, n = k + float(share * weight), n + float(weight)
            reach += weight
        return k, n

    def _share_since(self, share: float, onset: int, last: int) -> float:
        """A mean share since the onset, or the higher one that the other codes tell beside 20 errors at that."""
        k, n = self._others(onset, last)
        return max(share, (k + 20 * share) / (n + 20))

    def _is_common(self, found: Increase, last: int) -> bool:
        """Whether the other codes rise alike, so that what is left of the evidence is too little."""
        counts = {start: c for start, c in self.counts.items() if found.onset <= start <= last}
        n, k = sum(c.both for c in counts.values()), sum(c.candidate for c in counts.values())
        tested = sum(c.both * self.pair.share(start).tested for start, c in counts.items()) / n
        others, of_both = self._others(found.onset, last)
        if others * n <= of_both * n * tested:
            return False
        p, fine = self._share_since(tested, found.onset, last), self.pair.rule.min_ratio
        p = fine * p / (1 + (fine - 1) * p)
        nats = sum(count * math.log(count / (n * part)) for count, part in ((k, p), (n - k, 1 - p)) if count)
        weight = sum(c.both * self.weight(start) for start, c in counts.items()) / n
        return k <= n * p or weight * nats < found.threshold

    def _is_silent(self, start: int, stop: int) -> bool:
        """Whether errors are missing that the rate since the onset lets expect, so many that hardly by chance."""
        last = max(s for s in self.counts if s <= stop)
        busy = sum(start <= s <= last for s in self.pair.weighed)
        idle = sum(last < s <= stop for s in self.pair.weighed)
        weighed = sum(c.both * self.weight(s) for s, c in self.counts.items() if start <= s <= stop)
        return weighed * idle > DOUBT * busy

    def _reported(self, found: Increase, stop: int) -> Evidence:
        counts = {s: c for s, c in self.counts.items() if found.onset <= s <= stop}
        b, k = (sum(c[side] for c in counts.values()) for side in (0, 1))
        e = sum(c.both * self.pair.share(s).candidate for s, c in counts.items())
        tested = sum(c.both * self.pair.share(s).tested for s, c in counts.items())
        others, of_both = self._others(found.onset, max(counts))
        is_higher = others * (b + k) > of_both * tested
        e, tested = ((b + k) * self._share_since(part / (b + k), found.onset, max(counts)) for part in (e, tested))
        weighed = sum(c.both * self.weight(s) for s, c in counts.items())
        # How the share of the last errors is known; one that was given may have changed since the onset.
        share = self.pair.share(max(counts))
        is_changing = share.exposure == "given" and abs(e - (b + k) * share.candidate) > 0.001
        return Evidence(
            found.onset,
            stop + self.pair.width,
            found.nats / math.log(10),
            found.threshold / math.log(10),
            b,
            k,
            k * (b + k - e) / (b * e) if b else None,
            "changing" if is_changing else "estimated" if is_higher else share.exposure,
            e / (b + k),
            tested / (b + k),
            (b + k) / weighed,
        )


def _votes(active: dict[str, tuple[int, int]]) -> list[tuple[int, int]]:
    """Errors of the candidate and of both, in turn of the codes: a vote for 20 of the rarer build that were to come."""
    if len(active) < 2:
        return list(active.values())
    rest = [sum(side) - max(side) for side in zip(*((k, n - k, n) for k, n in active.values()), strict=True)]
    found: dict[int, tuple[int, int]] = {}
    up_to = 0
    for code in sorted(active):
        k, n = active[code]
        up_to += n
        vote = up_to * min(rest[0], rest[1]) // (20 * rest[2])
        before = found.get(vote, (0, 0))
        found[vote] = before[0] + k, before[1] + n
    return list(found.values())
