"""Histories in which no code increased: the builds of all errors drawn anew, again and again, and judged."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from streammetrics.config import Config, SequentialRule
from streammetrics.detect import passes
from streammetrics.detect.passes import DAY_SECONDS
from streammetrics.simulate.backtest import poisson
from streammetrics.simulate.backtest.history import Copy
from streammetrics.simulate.backtest.inject import INJECTED
from streammetrics.simulate.backtest.results import Null
from streammetrics.simulate.backtest.shares import Pair, Seconds, fetched, pairs_of
from streammetrics.store.statements import run, statement
from streammetrics.store.views import EXPOSURE_LEAD_SECONDS, Slice, compose, portions

_EMPTY = ("delete from counters", "delete from alerts", "delete from progress", "delete from runs")

_KEEP = "create or replace temp table originals as select * from counters where batch_id <> ? order by second"

_FALSE = "select rule, count(*) from incidents group by rule"


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
    copy: Copy,
    repetitions: int,
    seed: int,
    clock: Callable[[], datetime],
    advance: Callable[[float, float], None],
) -> Iterator[Null]:
    """Each pair of each comparison by itself, `repetitions` times: draw, judge, count the incidents.

    For each second and code, the candidate's part of the errors of both builds is drawn anew: binomial, with its share
    of the exposure. The scratch store's own records are changed. One result for each comparison and rule.

    The lead-in of the span is drawn anew as well.
    """
    with connection.begin():
        connection.exec_driver_sql(_KEEP, (INJECTED,))
        run(connection, "jobs/number_codes")
        # Shares that are estimated are those of the history itself, without what was added.
        connection.exec_driver_sql("delete from counters")
        connection.exec_driver_sql("insert into counters from originals")
        compared = [(one, pairs_of(connection, config, one, copy)) for one in config.comparison]
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
            sent = set(np.unique(draw.codes[(draw.seconds >= copy.after) & (draw.seconds < copy.until)]).tolist())
            codes |= sent
            for repetition in range(repetitions):
                advance(done, total)
                with connection.begin():
                    _draw(connection, draw, np.random.default_rng([seed, number, repetition]))
                passes.judge(connection, alone, clock, span=(copy.after, copy.until))
                with connection.begin():
                    for rule, count in connection.exec_driver_sql(_FALSE):
                        found[rule] += count
                    for rule, count in _judged(connection, copy):
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
                baseline=comparison.baseline,
                candidate=comparison.candidate,
                builds=comparison.builds,
                repetitions=repetitions,
                seed=seed,
                codes=len(codes),
                code_days=days,
                incidents=found[rule.name],
                per_1000_code_days=found[rule.name] * per_day,
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
    """Make the counters a history in which chance alone says which build an error is of, and forget what was judged."""
    for emptied in _EMPTY:
        connection.exec_driver_sql(emptied)
    driver = connection.connection.driver_connection
    candidate = dice.binomial(draw.errors, draw.shares)
    drawn = {"second": draw.seconds, "code": draw.codes, "errors": draw.errors, "candidate_errors": candidate}
    driver.register("drawn", drawn)  # type: ignore[union-attr]
    run(connection, "jobs/insert_drawn", {"baseline": draw.pair.baseline, "candidate": draw.pair.candidate})
    driver.unregister("drawn")  # type: ignore[union-attr]


def _judged(connection: Connection, copy: Copy) -> Iterator[tuple[str, int]]:
    """How many seconds of the span each rule has judged."""
    for after, until in portions(copy.after, copy.until, DAY_SECONDS):
        sql = compose(statement("reports/judged_seconds"), Slice(after, until, EXPOSURE_LEAD_SECONDS))
        for rule, seconds in connection.exec_driver_sql(sql, {"after": after, "until": until}):
            yield str(rule), int(seconds)
