"""The production path over history, nothing stored: which incidents would have fired, and how far they can be trusted.

What a span of the store holds is copied into a store of our own, judged there as a pass would, and thrown away. There
builds can be drawn at random, so that nothing increased (`null`), and increases can be added (`inject`).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.detect import passes
from streammetrics.detect.passes import DAY_SECONDS
from streammetrics.runtime.progress import Progress
from streammetrics.simulate.backtest import history, inject, null, shares
from streammetrics.simulate.backtest.history import Span
from streammetrics.simulate.backtest.inject import Added, Injection, parse
from streammetrics.simulate.backtest.words import Result, Summary, render
from streammetrics.store import views
from streammetrics.store.connection import Store

__all__ = ["Injection", "Result", "backtest", "parse", "render"]

_INCIDENTS = "select * from incidents order by start_ts, incident_id"


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
    """Judge the bins that end in (since, until] by `config`: what would have been reported, each as it is found.

    Args:
        since, until: naive UTC; without `until` the span ends with the records, without `since` it is a day.
        repetitions: so many histories without an increase are drawn and judged; injections are not in them.
        injections: increases that are added first.
        seed: decides all draws.

    Raises:
        UsageError: the span has no records, or an injection has nothing to multiply.
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    with progress.task("copying"), history.copied(store, config, since, until) as (connection, span):
        within = Span(
            span.after - passes.lead_seconds(config) - views.PRESENCE_LEAD_SECONDS,
            span.until + views.PRESENCE_LAG_SECONDS,
        )
        added = _inject(connection, config, injections, within, span, seed)
        with progress.task("judging") as advance:
            done = passes.judge(connection, config, clock, on_portion=advance, span=span.bounds)
        days = 0.0 if done.after is None or done.until is None else (done.until - done.after) / DAY_SECONDS
        with connection.begin():
            rows = [dict(row) for row in connection.exec_driver_sql(_INCIDENTS).mappings()]
            yield from rows
            yield Summary(span, days, len(rows))
            for one in added:
                for rule in config.rule:
                    yield inject.detection(connection, one, rule.name, config.detect.merge_seconds)
        if repetitions:
            with progress.task("drawing anew") as advance:
                yield from null.measure(connection, config, within, span, repetitions, seed, clock, advance)


def _inject(
    connection: Connection, config: Config, injections: Sequence[Injection], within: Span, span: Span, seed: int
) -> list[Added]:
    if not injections:
        return []
    with connection.begin():
        pairs = [pair for one in config.comparison for pair in shares.pairs_of(connection, config, one, within)]
        return [
            added
            for number, wanted in enumerate(injections)
            for added in inject.add(connection, wanted, pairs, span, [seed, number])
        ]
