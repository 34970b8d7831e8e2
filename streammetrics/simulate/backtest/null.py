"""Histories in which no code increased: the builds of all errors drawn anew, again and again, and judged."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from streammetrics.config import Comparison, Config, SequentialRule
from streammetrics.detect import passes
from streammetrics.detect.passes import DAY_SECONDS
from streammetrics.simulate.backtest import poisson
from streammetrics.simulate.backtest.history import Span
from streammetrics.simulate.backtest.inject import INJECTED
from streammetrics.simulate.backtest.shares import Pair, Seconds, fetched, pairs_of
from streammetrics.store.statements import run, statement
from streammetrics.store.views import EXPOSURE_LEAD_SECONDS, Slice, compose

_EMPTY = ("delete from counters", "delete from alerts", "delete from progress", "delete from runs")

_KEEP = "create or replace temp table originals as select * from counters where batch_id <> ? order by second"

_FALSE = "select rule, count(*) from incidents group by rule"


@dataclass(frozen=True)
class Null:
    """False alarms (incidents) that a rule gave where nothing had increased, and what its setting promises.

    The interval of the rate, per 1,000 code-days, is exact (95 %). `promised` is None for rules that promise nothing.
    """

    rule: str
    comparison: Comparison
    repetitions: int
    codes: int
    code_days: float
    incidents: int
    rate: float
    low: float
    high: float
    promised: float | None

    @property
    def agrees(self) -> bool | None:
        """Whether the promise is kept: the whole interval lies on one side of it.

        None if the interval holds the promise (too few code-days), or if nothing is promised or was judged.
        """
        if self.promised is None or not self.code_days or self.low <= self.promised < self.high:
            return None
        return self.high <= self.promised

    @property
    def enough_repetitions(self) -> int | None:
        """How many repetitions without a false alarm would show that the promise is kept."""
        if self.promised is None or not self.code_days:
            return None
        return math.ceil(1000 * poisson.interval(0)[1] / self.promised / self.code_days * self.repetitions)


@dataclass(frozen=True)
class _Draws:
    """The errors of both builds of a pair, by second and code."""

    pair: Pair
    seconds: Seconds
    codes: npt.NDArray[np.int64]
    errors: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]


def measure(
    connection: Connection,
    config: Config,
    within: Span,
    span: Span,
    repetitions: int,
    seed: int,
    clock: Callable[[], datetime],
    advance: Callable[[float, float], None],
) -> Iterator[Null]:
    """Each pair of each comparison by itself, `repetitions` times: draw, judge, count the incidents.

    For each second and code, the candidate's part of the errors of both builds is drawn anew: binomial, with its share
    of the exposure. The scratch store's own records are changed. One result for each comparison and rule.

    Args:
        within: the seconds of the copied history, lead-in and all; they are drawn anew as well.
        span: what is judged.
    """
    with connection.begin():
        connection.exec_driver_sql(_KEEP, (INJECTED,))
        run(connection, "jobs/number_codes")
        # Shares that are estimated are those of the history itself, without what was added.
        connection.exec_driver_sql("delete from counters")
        connection.exec_driver_sql("insert into counters from originals")
        compared = [(one, pairs_of(connection, config, one, within)) for one in config.comparison]
    total, done, number = repetitions * sum(len(pairs) for _, pairs in compared), 0, 0
    for comparison, pairs in compared:
        codes: set[int] = set()
        found = {rule.name: 0 for rule in config.rule}
        code_seconds = {rule.name: 0 for rule in config.rule}
        for pair in pairs:
            named = comparison.model_copy(update={"baseline": pair.baseline, "candidate": pair.candidate})
            alone = config.model_copy(update={"comparison": (named,)})
            with connection.begin():
                draw = _prepared(connection, pair)
            sent = set(np.unique(_codes(draw, span)).tolist())
            codes |= sent
            for repetition in range(repetitions):
                advance(done, total)
                with connection.begin():
                    _draw(connection, draw, np.random.default_rng([seed, number, repetition]))
                passes.judge(connection, alone, clock, span=span.bounds)
                with connection.begin():
                    for rule, count in connection.exec_driver_sql(_FALSE):
                        found[rule] += count
                    for rule, count in _judged(connection, span):
                        code_seconds[rule] += len(sent) * count
                done += 1
            number += 1
        advance(done, total)
        for rule in config.rule:
            days = code_seconds[rule.name] / DAY_SECONDS
            low, high = poisson.interval(found[rule.name])
            per_day = 1000 / days if days else 0.0
            yield Null(
                rule=rule.name,
                comparison=comparison,
                repetitions=repetitions,
                codes=len(codes),
                code_days=days,
                incidents=found[rule.name],
                rate=found[rule.name] * per_day,
                low=low * per_day,
                high=high * per_day,
                promised=1000 / rule.false_alarm_days_per_code if isinstance(rule, SequentialRule) else None,
            )


def _prepared(connection: Connection, pair: Pair) -> _Draws:
    """Fetch what is drawn from, and set aside the records of both builds that no draw changes."""
    ends = {"from_second": pair.from_second, "until_second": pair.until_second}
    parameters = {"baseline": pair.baseline, "candidate": pair.candidate, **ends}
    run(connection, "jobs/keep_others", parameters)
    column = fetched(connection, statement("reports/drawn_tallies"), parameters)
    return _Draws(pair, column["second"], column["code"], column["errors"], pair.shares_at(column["second"]))


def _draw(connection: Connection, draw: _Draws, dice: np.random.Generator) -> None:
    """Assign the errors to builds at random, and remove what was judged."""
    for emptied in _EMPTY:
        connection.exec_driver_sql(emptied)
    # Never no rows: DuckDB 1.5 loses what a transaction inserts after them.
    if connection.exec_driver_sql("select count(*) from others").scalar_one():
        connection.exec_driver_sql("insert into counters from others")
    driver = connection.connection.driver_connection
    candidate = dice.binomial(draw.errors, draw.shares)
    for build, errors in ((draw.pair.baseline, draw.errors - candidate), (draw.pair.candidate, candidate)):
        some = errors > 0
        if not some.any():
            continue
        drawn = {"second": draw.seconds[some], "code": draw.codes[some], "errors": errors[some]}
        driver.register("drawn", drawn)  # type: ignore[union-attr]
        run(connection, "jobs/insert_drawn", {"build": build})
        driver.unregister("drawn")  # type: ignore[union-attr]


def _codes(draw: _Draws, span: Span) -> npt.NDArray[np.int64]:
    """The codes that were sent in the span."""
    return draw.codes[(draw.seconds >= span.after) & (draw.seconds < span.until)]


def _judged(connection: Connection, span: Span) -> Iterator[tuple[str, int]]:
    """How many seconds of the span each rule has judged."""
    for after in range(span.after, span.until, DAY_SECONDS):
        until = min(after + DAY_SECONDS, span.until)
        sql = compose(statement("reports/judged_seconds"), Slice(after, until, EXPOSURE_LEAD_SECONDS))
        for rule, seconds in connection.exec_driver_sql(sql, {"after": after, "until": until}):
            yield str(rule), int(seconds)
