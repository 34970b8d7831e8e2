"""Streams and settings for tests of `sequential`: long enough that dispersion is known, and often beyond chance."""

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from streammetrics.config import Comparison, Config, DetectSettings, Exposure, SequentialRule
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, moment_of

OLD, NEW, NEWER = "5.9", "5.10", "5.11"


@dataclass(frozen=True)
class Flow:
    """Errors of a code: per second and user of a build, in bursts of so many, a multiple of it in the new build.

    The multiple holds in [since, until), seconds after Monday midnight.
    """

    code: str
    rate: float
    ratio: float = 1
    burst: int = 1
    since: int = 0
    until: int = 10**9


def _poisson(mean: float, dice: random.Random) -> int:
    number, product, limit = 0, dice.random(), math.exp(-mean)
    while product > limit:
        number, product = number + 1, product * dice.random()
    return number


def flows(dice: random.Random, seconds: int) -> Iterator[Flow]:
    """Of one to four codes; the first makes it likely that there is something to find."""
    codes = ("7", "E_TIMEOUT", "-17", "404")[: dice.randint(1, 4)]
    for place, code in enumerate(codes):
        rate = dice.choice((0.3, 0.8, 0.05, 0.01)[: 4 if place else 2])
        ratio = dice.choice((6, 20, 3, 0.1, 1)[: 5 if place else 3])
        burst = dice.choice((1, 1, 1, 8))
        since = dice.choice((seconds // 2, 1400, seconds - 300)) if ratio != 1 else 0
        yield Flow(code, rate, ratio, burst, since, dice.choice((10**9, 10**9, since + 200, since + 600)))


@dataclass(frozen=True)
class Feed:
    """A build with so many users that sends from a second of the day on but for a silence."""

    name: str
    since: int = 0
    users: float = 1
    silence: range = range(0)

    def records(self, flows: Iterable[Flow], seconds: int, dice: random.Random) -> Iterator[Record]:
        received = [second for second in range(self.since, seconds) if second not in self.silence]
        # Twenty establish it at once; a murmur keeps it from silence.
        murmur = [self.since] * 20 + [second for second in received if second % 20 == 0]
        yield from (Record(MONDAY + second, self.name, "0") for second in murmur)
        for flow in flows:
            for second in received:
                ratio = flow.ratio if self.name != OLD and flow.since <= second < flow.until else 1
                number = flow.burst * _poisson(flow.rate * self.users * ratio / flow.burst, dice)
                yield from [Record(MONDAY + second, self.name, flow.code)] * number


@dataclass(frozen=True)
class Regression:
    """What there is to find, and the records that chance makes of it."""

    seconds: int
    flows: tuple[Flow, ...]
    builds: tuple[Feed, ...]
    seed: int

    @cached_property
    def records(self) -> list[Record]:
        dice = random.Random(self.seed)
        return [record for build in self.builds for record in build.records(self.flows, self.seconds, dice)]


EQUAL = (Comparison(exposure="equal"),)
LAST_RARE = 7500
RARE_RULE = SequentialRule(
    name="r", detector="sequential", bin_seconds=60, history_seconds=7260, false_alarm_days_per_code=1
)


def rare_errors() -> list[Record]:
    """Every ten minutes one of code 7 by the new build alone, until RARE_RULE has enough with all of its history."""
    others = Regression(13_000, (Flow("E", 0.05), Flow("404", 0.05)), (Feed(OLD), Feed(NEW)), seed=3)
    return [*others.records, *(Record(MONDAY + second, NEW, "7") for second in range(300, LAST_RARE + 1, 600))]


SILENCES = (range(0), range(0), range(1400, 1700), range(200, 500), range(1500, 2100))


def regression(dice: random.Random) -> Regression:
    """Two builds or three; one may be silent for a while, the new one come late."""
    seconds = dice.choice((2400, 1900, 4000))
    builds = [
        Feed(OLD, silence=dice.choice(SILENCES)),
        Feed(NEW, dice.choice((0, 0, 47, 500)), dice.choice((1, 1, 0.2, 3)), dice.choice(SILENCES)),
    ]
    if dice.random() < 0.2:
        builds.append(Feed(NEWER, dice.choice((100, 1000))))
    return Regression(seconds, tuple(flows(dice, seconds)), tuple(builds), dice.randrange(10**6))


def exposures(dice: random.Random) -> Iterator[Exposure]:
    """Rows of users, some of one build alone; of two for one moment and build the later one counts."""
    for place in range(dice.choice((0, 2, 4, 8))):
        second = dice.choice((0, 600, 1405, 1800, 2000))
        since = None if place < 2 and dice.random() < 0.8 else moment_of(MONDAY + second)
        yield Exposure(build=dice.choice((OLD, NEW, NEWER)), users=dice.choice((1000, 800, 1000, 0, 333)), since=since)


def sequential_rule(dice: random.Random, name: str) -> SequentialRule:
    return SequentialRule(
        name=name,
        detector="sequential",
        bin_seconds=dice.choice((10, 60, 7)),
        false_alarm_days_per_code=dice.choice((1, 30, 100)),
        min_ratio=dice.choice((1.0, 1.0, 1.3, 2.0)),
        min_bins=dice.choice((None, None, 2, 5)),
        history_seconds=dice.choice((600, 420, 3000, 16000)),
    )


def sequential_config(dice: random.Random) -> Config:
    comparison = Comparison(
        baseline=dice.choice(("previous", OLD)),
        exposure=dice.choice((None, "equal", "estimated")),
        exposure_tolerance=dice.choice((0, 0, 0.05, 0.3)),
    )
    return Config(
        comparison=(comparison,),
        exposure=tuple(exposures(dice)),
        rule=tuple(sequential_rule(dice, name) for name in ("a", "b")[: dice.randint(1, 2)]),
        detect=DetectSettings(lateness_seconds=dice.choice((0, 7, 60))),
    )
