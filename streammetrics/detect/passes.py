"""One detection pass: judges bins that are complete and not yet judged, or that late records changed.

The cost of a pass depends on its scope, not on the length of the history. Repeating a pass changes nothing. After a
missed pass the next one judges everything since. A long scope is judged in portions, each with its row in `runs`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

import duckdb
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics import engine as engines
from streammetrics.config import Config, SequentialRule, rules
from streammetrics.config.rules import STANDING_SECONDS
from streammetrics.detect import portions, watermarks
from streammetrics.detect.alerts import Amendment, amend, number_incidents
from streammetrics.detect.portions import Portion
from streammetrics.engine import Engine
from streammetrics.runtime import utc
from streammetrics.sources import exposure
from streammetrics.store import comments, retention, settings_tables, views
from streammetrics.store.statements import run, statement
from streammetrics.store.views import FIRST_SECOND, LAST_SECOND, Slice, compose

_FEWER_BINS = "select * from kept_bins where detector <> 'sequential' or series in (select series from {})"

EVER = (FIRST_SECOND, LAST_SECOND)
"""The span from year 1 to year 9999, epoch seconds."""

_STRETCHES = "select after_second, until_second, is_open from stretches order by after_second"


@dataclass(frozen=True)
class Pass:
    """What one pass did. `after` and `until` are epoch seconds, None if nothing waited to be judged."""

    run_ids: tuple[int, ...]
    after: int | None
    until: int | None
    amendment: Amendment


def judge(
    connection: Connection,
    config: Config,
    clock: Callable[[], datetime],
    *,
    is_final: bool = False,
    on_portion: Callable[[int, int], None] = lambda done, total: None,
    portion_seconds: int | None = None,
    span: tuple[int, int] = EVER,
) -> Pass:
    """Judge everything that waits.

    Args:
        clock: returns the time as naive UTC.
        is_final: the input is complete, so the last bin is complete too.
        on_portion: receives how many portions are done, and of how many.
        portion_seconds: a longer scope is judged in portions of this length; None: as memory allows.
        span: only bins that end in (after, until], epoch seconds, are judged, as if no records came afterwards.
    """
    with connection.begin():
        bounds = plan(connection, config, is_final=is_final, span=span)
    return judge_planned(
        connection, config, clock, bounds, is_final=is_final, on_portion=on_portion, portion_seconds=portion_seconds
    )


def judge_planned(
    connection: Connection,
    config: Config,
    clock: Callable[[], datetime],
    bounds: tuple[int, int] | None,
    *,
    is_final: bool = False,
    on_portion: Callable[[int, int], None] = lambda done, total: None,
    portion_seconds: int | None = None,
) -> Pass:
    """Judge what `plan` found, on the same connection and with the same config; `bounds` is its result."""
    started_at = clock()
    with connection.begin():
        if bounds is None:
            watermarks.remember(connection, LAST_SECOND)
            return Pass((_record(connection, started_at, clock(), None, Amendment()),), None, None, Amendment())
        lead = lead_seconds(config)
        waiting = [
            (one, is_open)
            for after, until, is_open in connection.exec_driver_sql(_STRETCHES).all()
            for one in portions.plan(connection, config, lead, after, until, portion_seconds)
        ]
    run_ids: list[int] = []
    total = Amendment()
    while waiting:
        on_portion(len(run_ids), len(run_ids) + len(waiting))
        portion, is_open = waiting.pop(0)
        reached = waiting[0][0].after if waiting else LAST_SECOND
        try:
            run_id, amendment = _judge_portion(connection, config, portion, reached, clock, is_final, is_open)
        except DBAPIError as error:
            halves = portions.halves(portion)
            if not isinstance(error.orig, duckdb.OutOfMemoryException) or not halves:
                raise
            # Long increases of many codes take more memory than their number of records suggests.
            waiting[:0] = [(half, is_open) for half in halves]
            continue
        run_ids.append(run_id)
        total += amendment
    on_portion(len(run_ids), len(run_ids))
    return Pass(tuple(run_ids), *bounds, total)


def plan(
    connection: Connection, config: Config, *, is_final: bool = False, span: tuple[int, int] = EVER
) -> tuple[int, int] | None:
    """Update views and settings, and find what waits to be judged, in the caller's transaction.

    Returns:
        The epoch seconds (after, until] of everything that waits; None if nothing waits.
    """
    if views.publish(connection):
        comments.put(connection)
    joined = connection.exec_driver_sql("select max(reopen_seconds) from settings").scalar_one()
    users = exposure.read(config)
    settings_tables.replace(connection, config, users.rows, is_whole=users.is_whole)
    if joined != config.detect.joined_seconds:
        number_incidents(connection)
    floor = retention.floor(connection, lead_seconds(config))
    after = max(span[0], floor)
    bases: dict[str, str] = {}
    for name, kept in watermarks.COMPARED.items():
        select = compose(f"select * from {name}", None, is_final=is_final, **bases)  # noqa: S608 a name of sql/
        connection.exec_driver_sql(f"create or replace temp table compared_{name} as\n{select}")
        bases[name] = str(kept)
    scopes = compose(statement("jobs/select_scopes"), **watermarks.COMPARED)
    limits = {"after": after, "until": span[1], "floor": floor}
    connection.exec_driver_sql("create or replace temp table pass_scopes as\n" + scopes, limits)
    watermarks.reach_unfounded(connection, after)
    if not users.is_whole:
        run(connection, "jobs/hold_pairs_without_users")
    widest = max(rule.bin_seconds for rule in config.rule)
    reach = max(lead_seconds(config) + views.PRESENCE_LEAD_SECONDS, config.detect.joined_seconds)
    run(connection, "jobs/find_stretches", {"reach": reach, "widest": widest})
    stretches = connection.exec_driver_sql(_STRETCHES).all()
    return (stretches[0].after_second, stretches[-1].until_second) if stretches else None


def lead_seconds(config: Config) -> int:
    """How far (s) before a bin's end a pass reads."""
    windows = ((rule.detector, rule.bin_seconds, max(rule.window_bins)) for rule in config.rule)
    return rules.lead_seconds(windows, max(comparison.lead_seconds for comparison in config.comparison))


def _history_seconds(config: Config) -> int:
    """How far before a bin the windows of the last bin with errors begin."""
    longest = max(max(rule.window_bins) * rule.bin_seconds for rule in config.rule)
    return STANDING_SECONDS + longest + 2 * max(rule.bin_seconds for rule in config.rule)


def record_failure(connection: Connection, started_at: datetime, now: datetime, error: str) -> None:
    """Record a failed pass in `runs`, in a transaction of its own."""
    with connection.begin():
        _record(connection, started_at, now, None, Amendment(), error)


def _judge_portion(
    connection: Connection,
    config: Config,
    portion: Portion,
    reached: int,
    clock: Callable[[], datetime],
    is_final: bool,
    is_open: bool,
) -> tuple[int, Amendment]:
    """Judge the bins that end in the portion. Afterwards nothing waits up to `reached` (epoch seconds).

    The engine computes first; then all results are stored in one transaction.

    `is_open`: nothing after it was judged, so that its pauses decide what is settled.
    """
    started_at = clock()
    after, until, _ = portion
    has_sequential = any(isinstance(rule, SequentialRule) for rule in config.rule)
    with connection.begin():
        run(connection, "jobs/cut_scopes", {"after": after, "until": until})
        lags = views.lags(connection, **watermarks.COMPARED)
    piece = Slice(after, until, lead_seconds(config), _history_seconds(config), lags)
    engine = engines.opened(config, connection, piece, is_final=is_final)
    try:
        bases = watermarks.keep_presence(connection, engine, piece)
        if has_sequential:
            _keep_suspects(engine, piece, bases)
        engine.fill("kept_fired", "select * from fired", bases)
        engine.hand_over("kept_fired")
    finally:
        engine.close()
    found = compose(statement("jobs/find_alerts"), fired="select * from kept_fired")
    scope = (utc.at_second(after), utc.at_second(until))
    joined = config.detect.joined_seconds
    with connection.begin():
        run_id = int(connection.exec_driver_sql("select nextval('run_ids')").scalar_one())
        amendment = amend(connection, found, *scope, joined, run_id, started_at, has_intervals=has_sequential)
        if is_open:
            watermarks.pause(connection, after)
        watermarks.remember(connection, reached)
        _record(connection, started_at, clock(), scope, amendment, run_id=run_id)
    return run_id, amendment


def _keep_suspects(engine: Engine, piece: Slice, bases: dict[str, str]) -> None:
    """Compute once what `sequential` reads more than once, and only for series that may have enough evidence."""

    def keep(name: str, text: str, **parameters: int) -> None:
        engine.fill(f"kept_{name}", text, bases, parameters)
        bases[name] = f"select * from kept_{name}"  # noqa: S608 a name of sql/

    for name in ("judged_bins", "bins", "weights"):
        keep(name, f"select * from {name}")  # noqa: S608
    since = piece.after - (piece.history_seconds or 0)
    keep("prospects", statement("jobs/find_prospects"), since=since, after=piece.after)
    bases["bins"] = _FEWER_BINS.format("kept_prospects")
    keep("suspects", "select * from suspects")
    bases["bins"] = _FEWER_BINS.format("kept_suspects")
    # The gate `traffic` compares increases of suspects with the errors of all codes.
    bases["code_errors"] = (
        f"with bins as (select * from kept_bins)\nselect * from (\n{views.relations()['code_errors'].text}\n)"  # noqa: S608
    )
    del bases["prospects"]


def _record(
    connection: Connection,
    started_at: datetime,
    finished_at: datetime,
    scope: tuple[datetime, datetime] | None,
    amendment: Amendment,
    error: str | None = None,
    run_id: int | None = None,
) -> int:
    if run_id is None:
        run_id = int(connection.exec_driver_sql("select nextval('run_ids')").scalar_one())
    start, end = scope or (None, None)
    row = {"run": run_id, "started_at": started_at, "finished_at": finished_at, "scope_start": start, "scope_end": end}
    state = "done" if error is None else "failed"
    run(connection, "jobs/record_run", {**row, **asdict(amendment), "state": state, "error": error})
    return run_id
