"""Histories without an increase: the builds of all errors are drawn at random, many times, and judged."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from streammetrics.config import Config, SequentialRule
from streammetrics.detect import passes
from streammetrics.runtime.utc import DAY_SECONDS
from streammetrics.simulate.backtest import poisson
from streammetrics.simulate.backtest.history import Copy
from streammetrics.simulate.backtest.inject import INJECTED
from streammetrics.simulate.backtest.results import Null
from streammetrics.simulate.backtest.shares import fetched, pairs_of
from streammetrics.store.statements import run, statement
from streammetrics.store.views import EXPOSURE_LEAD_SECONDS, Slice, compose, portions

_EMPTY = ("delete from counters", "delete from alerts", "delete from progress", "delete from runs")

_KEEP = "create or replace temp table originals as select * from counters where batch_id <> ? order by second"

_FALSE = "select rule, count(*) from incidents group by rule"


def measure(
    connection: Connection,
    config: Config,
    copy: Copy,
    repetitions: int,
    seed: int,
    clock: Callable[[], datetime],
    advance: Callable[[float, float], None],
) -> Iterator[Null]:
    """For each pair separately, `repetitions` times: draw, judge, count the incidents.

    For each second and code, the candidate's part of the errors of both builds is drawn again: binomial, with its share
    of the exposure. The scratch store's own records are changed. One result for each comparison and rule.

    The lead-in of the span is drawn again as well.
    """
    with connection.begin():
        connection.exec_driver_sql(_KEEP, (INJECTED,))
        run(connection, "jobs/number_codes")
        # Estimated shares are those of the history itself, without added errors.
        connection.exec_driver_sql("delete from counters")
        connection.exec_driver_sql("insert into counters from originals")
        compared = [(one, pairs_of(connection, config, one, copy)) for one in config.comparison]
    total, done, number = repetitions * sum(len(pairs) for _, pairs in compared), 0, 0
    for comparison, pairs in compared:
        codes: set[int] = set()
        found = {rule.name: 0 for rule in config.rule}
        code_seconds = {rule.name: 0 for rule in config.rule}
        for pair in pairs:
            sides = {"baseline": pair.baseline, "candidate": pair.candidate}
            alone = config.model_copy(update={"comparison": (comparison.model_copy(update=sides),)})
            within = {**sides, "from_second": pair.from_second, "until_second": pair.until_second}
            with connection.begin():
                run(connection, "jobs/keep_others", within)
                tallies = fetched(connection, statement("reports/drawn_tallies"), within)
            shares = pair.shares_at(tallies["second"])
            is_judged = (tallies["second"] >= copy.after) & (tallies["second"] < copy.until)
            sent = set(np.unique(tallies["code"][is_judged]).tolist())
            codes |= sent
            for repetition in range(repetitions):
                advance(done, total)
                errors = np.random.default_rng([seed, number, repetition]).binomial(tallies["errors"], shares)
                with connection.begin():
                    _put(connection, sides, {**tallies, "candidate_errors": errors})
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


def _put(connection: Connection, sides: dict[str, str], drawn: dict[str, npt.NDArray[Any]]) -> None:
    """Replace the counters by the draws for both sides and the unchanged records; nothing is judged yet."""
    for emptied in _EMPTY:
        connection.exec_driver_sql(emptied)
    driver = connection.connection.driver_connection
    driver.register("drawn", drawn)  # type: ignore[union-attr]
    run(connection, "jobs/insert_drawn", sides)
    driver.unregister("drawn")  # type: ignore[union-attr]


def _judged(connection: Connection, copy: Copy) -> Iterator[tuple[str, int]]:
    """How many seconds of the span each rule has judged."""
    for after, until in portions(copy.after, copy.until, DAY_SECONDS):
        sql = compose(statement("reports/judged_seconds"), Slice(after, until, EXPOSURE_LEAD_SECONDS))
        for rule, seconds in connection.exec_driver_sql(sql, {"after": after, "until": until}):
            yield str(rule), int(seconds)
