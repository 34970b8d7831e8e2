"""The production path over history, nothing stored: which incidents would have fired, and how far they can be trusted.

What a span of the store holds is copied into a store of our own, judged there as a pass would, and thrown away. There
chance can be asked (`null`: builds drawn anew, so that nothing increased) and increases can be added (`inject`).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from streammetrics import detect, views
from streammetrics.backtest import history, inject, null, shares, words
from streammetrics.backtest.history import Span
from streammetrics.backtest.inject import Added, Injection, parse
from streammetrics.config import Config
from streammetrics.detect import DAY_SECONDS
from streammetrics.session import Session

__all__ = ["Injection", "backtest", "parse"]

_INCIDENTS = "select * from incidents order by start_ts, incident_id"


def backtest(
    session: Session,
    since: datetime | None,
    until: datetime | None,
    *,
    repetitions: int = 0,
    injections: Sequence[Injection] = (),
    seed: int = 1,
) -> None:
    """Judge the bins that end in (since, until] by the session's settings, and print what would have been told.

    Args:
        since, until: naive UTC; without `until` the span ends with the records, without `since` it is a day.
        repetitions: so many histories without an increase are drawn and judged; injections are not in them.
        injections: increases that are added first.
        seed: decides all draws.

    Raises:
        UsageError: the span has no records, or an injection has nothing to multiply.
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    config, as_json = session.config, session.as_json
    with session.progress.task("copying"), history.copied(session.store, config, since, until) as (connection, span):
        within = Span(
            span.after - detect.lead_seconds(config) - views.PRESENCE_LEAD_SECONDS,
            span.until + views.PRESENCE_LAG_SECONDS,
        )
        added = _inject(connection, config, injections, within, span, seed)
        with session.progress.task("judging") as advance:
            done = detect.judge(connection, config, session.clock, on_portion=advance, span=span.bounds)
        days = 0.0 if done.after is None or done.until is None else (done.until - done.after) / DAY_SECONDS
        with connection.begin():
            rows = connection.exec_driver_sql(_INCIDENTS).mappings().all()
            for row in rows:
                session.out(words.incident(dict(row), as_json))
            session.out(words.summary(span, days, len(rows), as_json))
            for one in added:
                for rule in config.rule:
                    found = inject.detection(connection, one, rule.name, config.detect.merge_seconds)
                    session.out(words.detection(found, as_json))
        if repetitions:
            with session.progress.task("drawing anew") as advance:
                for result in null.measure(connection, config, within, span, repetitions, seed, session.clock, advance):
                    session.out(words.null(result, seed, as_json))


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
