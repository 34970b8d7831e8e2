"""Judges history as a job would, and stores nothing: the incidents that would have opened, and how reliable they are.

A span of the store is copied into a scratch store, judged there like in a pass, and deleted. In the scratch store,
builds can be drawn at random, so that nothing has increased (`null`), and increases can be added (`inject`).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from streammetrics.config import Config
from streammetrics.detect import incidents, passes
from streammetrics.runtime import utc
from streammetrics.runtime.progress import Progress
from streammetrics.runtime.utc import DAY_SECONDS
from streammetrics.simulate.backtest import history, inject, null
from streammetrics.simulate.backtest.inject import Injection, parse
from streammetrics.simulate.backtest.results import Result, Summary, render
from streammetrics.store.connection import Store

__all__ = ["Injection", "Result", "backtest", "parse", "render"]


def backtest(
    store: Store,
    config: Config,
    clock: Callable[[], datetime],
    progress: Progress,
    since: datetime | None,
    until: datetime | None,
    *,
    repetitions: int = 0,
    injections: Sequence[Injection] = (),
    seed: int = 1,
) -> Iterator[Result]:
    """Judge the bins that end in (since, until] with `config`; yields results as they are found.

    Args:
        since, until: naive UTC; without `until` the span ends with the records, without `since` it is a day.
        repetitions: how many histories without an increase are drawn and judged; injections are not in them.
        injections: increases that are added first.
        seed: seed of the random draws.

    Raises:
        UsageError: the span has no records, or an injection has nothing to multiply.
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    with progress.task("copying"), history.copied(store, config, since, until) as (connection, copy):
        added = inject.add_all(connection, config, injections, copy, seed)
        span = copy.after, copy.until
        with progress.task("judging") as advance:
            done = passes.judge(connection, config, clock, on_portion=advance, span=span)
        days = 0.0 if done.after is None or done.until is None else (done.until - done.after) / DAY_SECONDS
        with connection.begin():
            rows = incidents.every(connection)
            yield from rows
            ends = utc.at_second(copy.after), utc.at_second(copy.until)
            yield Summary(*ends, days, len(rows), len(rows) / days if days else None)
            for one in added:
                for rule in config.rule:
                    yield inject.detection(connection, one, rule.name, config.detect.merge_seconds)
        if repetitions:
            with progress.task("drawing again") as advance:
                yield from null.measure(connection, config, copy, repetitions, seed, clock, advance)
