"""Our own detectors on a simulated stream: a store as ingest would leave it, and `detect.judge` as the job runs it."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
from numpy.random import Generator
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import StaticPool

from bench.detection.streams import BIN_SECONDS, START_SECOND, Counts, Findings, Layer, Stream, punctual
from streammetrics.config import REFERENCE_RULES, Config
from streammetrics.detect import passes as detect
from streammetrics.runtime import utc
from streammetrics.store import builds, schema

EARLIER, BASELINE, CANDIDATE = "5.8", "5.9", "5.10"

SEQUENTIAL = {"name": "sequential", "detector": "sequential", "bin_seconds": BIN_SECONDS}
"""The rule that is measured, with its defaults."""

REFERENCES: dict[str, dict[str, Any]] = {rule.detector: rule.model_dump() for rule in REFERENCE_RULES}

PIECE_SECONDS = 10 * 86400

_INSERT = """
insert into counters
select
    make_timestamp((second + $1) * 1000000), case when is_candidate then $2 else $3 end,
    case when code < 0 then 'beat' else 'E' || code end, errors, $4
from arrived
"""

_BATCH = """
insert into batches
select $1, 'bench', 'bench', 0, 0, '', 0, coalesce(sum(errors), 0), 0, min(second), max(second), $2, null
from counters where batch_id = $1
"""

_TABLES = "select table_name from duckdb_tables() where not temporary and table_name <> 'store_info'"

# Alerts that were taken back were reported all the same.
_ALERTS = """
select
    cast(code[2:] as bigint) as code, epoch(start_ts) as start_second, epoch(end_ts) as end_second,
    incident_id, ratio_low, ratio_high
from alerts
where code <> 'beat' and candidate = $1
order by alert_id
"""


def sequential(stream: Stream) -> Findings:
    """The rule `sequential` with its defaults, and the exposure that the stream tells of."""
    return judge(stream, configured(stream))


def configured(stream: Stream, **settings: float) -> Config:
    """The rule with these settings in place of its defaults, and what the stream tells of exposure."""
    return Config.model_validate(
        {"rule": [{**SEQUENTIAL, "min_ratio": stream.min_ratio, **settings}], **_exposure(stream)}
    )


def reference(name: str) -> Callable[[Stream], Findings]:
    """A reference rule. It looks at single seconds: records are spread over those of their bin by chance."""

    def judged(stream: Stream) -> Findings:
        return judge(stream, Config.model_validate({"rule": [REFERENCES[name]]}), np.random.default_rng(1))

    return judged


def _exposure(stream: Stream) -> dict[str, Any]:
    """The sections of config.toml that tell the shares; users in millions, a row where the share changes."""
    if stream.is_estimated:
        return {"comparison": [{"exposure": "estimated"}]}
    if stream.share is None:
        return {"comparison": [{"exposure": "equal"}]}
    comparison = {"exposure_tolerance": stream.share_tolerance}
    changes = np.flatnonzero(np.diff(stream.share, prepend=-1.0))
    rows = [
        {"since": _moment(int(place) * BIN_SECONDS), "build": build, "users": round(1e6 * users)}
        for place in changes
        for build, users in ((BASELINE, 1 - stream.share[place]), (CANDIDATE, stream.share[place]))
    ]
    return {"comparison": [comparison], "exposure": rows}


def judge(stream: Stream, config: Config, spread: Generator | None = None) -> Findings:
    """Load what has come and judge it, pass by pass.

    Args:
        spread: puts the records of a bin on its seconds by chance; None: all of them on its first second.
    """
    seconds = []
    with store() as connection:
        since = 0
        for until in stream.passes:
            load(connection, stream, since, until, spread)
            started = time.perf_counter()
            # In one piece: what a piece looks back on would be computed again with each.
            detect.judge(connection, config, clock(until), portion_seconds=PIECE_SECONDS)
            seconds.append(time.perf_counter() - started)
            since = until
        return alerts(connection, tuple(seconds))


def alerts(connection: Connection, seconds: tuple[float, ...]) -> Findings:
    """What a store's passes, which took so many seconds, have found."""
    found = _fetch(connection, _ALERTS, (CANDIDATE,))
    start, end = (_bins(found[name]) for name in ("start_second", "end_second"))
    return Findings(
        found["code"].astype(np.int64), start, end - 1, found["incident_id"].astype(np.int64),
        found["ratio_low"], np.where(np.isnan(found["ratio_low"]), np.nan, _or_infinite(found["ratio_high"])), seconds,
    )  # fmt: skip


def clock(second: int) -> Callable[[], datetime]:
    return lambda: _moment(second)


@contextmanager
def store() -> Iterator[Connection]:
    """A store in memory that holds nothing: of a process always the same, for making its views takes a second.

    One thread: as many processes run beside each other as there are cores.
    """
    with _engine().connect() as connection:
        with connection.begin():
            for table in connection.exec_driver_sql(_TABLES).scalars().all():
                connection.exec_driver_sql(f"truncate {table}")
        yield connection


@cache
def _engine() -> Engine:
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # DuckDB would import it
    engine = create_engine(
        "duckdb:///:memory:", poolclass=StaticPool, connect_args={"config": {"threads": 1, "memory_limit": "3GB"}}
    )
    with engine.connect() as connection:
        with connection.begin():
            for setting in (*schema.SESSION, "set enable_progress_bar = false"):
                connection.exec_driver_sql(setting)
        schema.migrate(connection)
    return engine


def load(connection: Connection, stream: Stream, since: int, until: int, spread: Generator | None = None) -> None:
    """One batch, as ingest leaves it: what has come in (since, until]. Events are left out, for no rule reads them.

    The first holds the comparison before as well. Where exposure is estimated no code of its own fills the
    seconds of both builds: it would send as much in a build of few users. Records are spread over their bins instead.
    """
    if spread is None and stream.is_estimated:
        spread = np.random.default_rng(since)
    parts = [(_arrived(stream.layers, since, until, spread), CANDIDATE, BASELINE)]
    if stream.earlier is not None and since == 0:
        parts.insert(0, (_arrived_earlier(*stream.earlier), BASELINE, EARLIER))
    raw: Any = connection.connection.driver_connection
    with connection.begin():
        batch_id = connection.exec_driver_sql("select nextval('batch_ids')").scalar_one()
        for columns, candidate, baseline in parts:
            raw.register("arrived", columns)
            connection.exec_driver_sql(_INSERT, (START_SECOND, candidate, baseline, batch_id))
            raw.unregister("arrived")
        connection.exec_driver_sql(_BATCH, (batch_id, _moment(until)))
        builds.update(connection, batch_id)


def _arrived_earlier(older: Counts, baseline: Counts) -> dict[str, np.ndarray[Any, Any]]:
    """The comparison before, at negative seconds."""
    layers, passes = punctual(older, baseline)
    columns = _arrived(layers, 0, passes[-1], None)
    return {**columns, "second": columns["second"] - passes[-1]}


def _arrived(
    layers: Iterable[Layer], since: int, until: int, spread: Generator | None
) -> dict[str, np.ndarray[Any, Any]]:
    """What has come in (since, until], seconds since the start, in order of time: a row per bin, build and code."""
    sides = [_side(layer, is_candidate, since, until, spread) for layer in layers for is_candidate in (False, True)]
    columns = {name: np.concatenate([side[name] for side in sides]) for name in sides[0]}
    order = np.argsort(columns["second"], kind="stable")
    return {name: column[order] for name, column in columns.items()}


def _side(
    layer: Layer, is_candidate: bool, since: int, until: int, spread: Generator | None
) -> dict[str, np.ndarray[Any, Any]]:
    counts, arrival = (
        (layer.candidate, layer.candidate_arrival) if is_candidate else (layer.baseline, layer.baseline_arrival)
    )
    bins = np.flatnonzero((arrival > since) & (arrival <= until))
    code, place = np.nonzero(counts[:, bins])
    errors, second = counts[code, bins[place]], bins[place] * BIN_SECONDS
    if spread is not None:
        code, second, errors = _spread(code, second, errors, spread)
    else:
        # A build that sends in one second of ten would seem to fall silent in between: a code of its own fills them.
        beats = (bins[:, np.newaxis] * BIN_SECONDS + np.arange(BIN_SECONDS)).ravel()
        code = np.concatenate([code, np.full(beats.size, -1)])
        second, errors = np.concatenate([second, beats]), np.concatenate([errors, np.ones(beats.size, dtype=np.int64)])
    return {
        "second": second.astype(np.int64),
        "is_candidate": np.full(code.size, is_candidate),
        "code": code.astype(np.int64),
        "errors": errors.astype(np.int64),
    }


def _spread(code: Counts, second: Counts, errors: Counts, chance: Generator) -> tuple[Counts, Counts, Counts]:
    """A row per second instead of one per bin."""
    key = np.repeat(code * (1 << 32) + second, errors) + chance.integers(0, BIN_SECONDS, int(errors.sum()))
    keys, counted = np.unique(key, return_counts=True)
    return keys >> 32, keys & 0xFFFFFFFF, counted


def _fetch(connection: Connection, sql: str, values: tuple[str, ...]) -> dict[str, np.ndarray[Any, Any]]:
    """The rows of a query by column; NULL as NaN."""
    raw: Any = connection.connection.driver_connection
    columns = raw.execute(sql, values).fetchnumpy()
    return {
        name: np.ma.filled(column.astype(np.float64), np.nan) if name.startswith("ratio") else np.ma.getdata(column)
        for name, column in columns.items()
    }


def _or_infinite(bound: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A ratio with a lower bound and no upper one has no upper bound."""
    return np.where(np.isnan(bound), np.inf, bound)


def _bins(second: np.ndarray[Any, Any]) -> Counts:
    return np.asarray(np.floor((second - START_SECOND) / BIN_SECONDS), dtype=np.int64)


def _moment(second: int) -> datetime:
    return utc.at_second(START_SECOND + second)
