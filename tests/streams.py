"""Records put into a store as an ingest would leave them, and what a pass left read back; for tests of detection."""

import os
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from streammetrics.config import Comparison, Config, DetectSettings, Rule
from streammetrics.runtime.progress import Progress
from streammetrics.store import builds, schema
from tests.oracles.mean_rules import Finding, Key, Record, rounded

EPOCH = datetime(1970, 1, 1)
MONDAY = 1795392000
"""2026-11-23 00:00:00 UTC."""

RECORD_TABLES = ("batches", "events", "counters", "builds", "build_hours", "codes")
PASS_TABLES = (
    "rules", "hypotheses", "comparisons", "exposure", "settings", "progress", "runs", "alerts", "alert_revisions",
    "pauses", "pruned", "advice", "unloaded",
)  # fmt: skip
BUILDS = ("5.9", "5.10", "5.11", "6.1")
CODES = ("-17", "007", "7", "E_TIMEOUT", "404")

HUNT_EXAMPLES = int(os.environ.get("HUNT_EXAMPLES", "0"))
"""The default run tries the same streams every time; with this, so many new ones."""


def tries(examples: int) -> settings:
    """Hypothesis settings of a test that looks at so many streams where no hunt is on."""
    return settings(max_examples=HUNT_EXAMPLES or examples, derandomize=not HUNT_EXAMPLES, deadline=None, database=None)


def clock() -> datetime:
    return datetime(2026, 11, 23, 12)


@contextmanager
def empty_store() -> Iterator[Connection]:
    """A store in memory: the same tables and views as in a file, without waiting for the disk."""
    engine = create_engine("duckdb:///:memory:", poolclass=StaticPool, connect_args={"config": {"threads": 1}})
    with engine.connect() as connection:
        with connection.begin():
            for setting in schema.SESSION:
                connection.exec_driver_sql(setting)
        schema.migrate(connection)
        yield connection
    engine.dispose()


def clear(connection: Connection) -> None:
    """Make a store as good as new; the views stay, which are what a new one takes longest for."""
    connection.rollback()  # what a test that failed left open
    with connection.begin():
        for table in (*RECORD_TABLES, *PASS_TABLES):
            connection.exec_driver_sql(f"delete from {table}")


def load(connection: Connection, records: Iterable[Record]) -> None:
    """One batch: events, counters, its row in `batches`, and `builds` brought up to date."""
    batch = list(records)
    columns = [list(column) for column in zip(*batch, strict=True)] or [[], [], []]
    with connection.begin():
        batch_id = connection.exec_driver_sql("select nextval('batch_ids')").scalar_one()
        connection.exec_driver_sql(
            "insert into events (ts, build, code, batch_id)\n"
            "select make_timestamp(unnest($1::bigint[]) * 1000000), unnest($2::text[]), unnest($3::text[]), $4",
            (*columns, batch_id),
        )
        connection.exec_driver_sql(
            "insert into counters\n"
            "select date_trunc('second', ts) as second, build, code, count(*), batch_id\n"
            "from events where batch_id = $1 group by all order by second",
            (batch_id,),
        )
        connection.exec_driver_sql(
            "insert into batches\n"
            "select $1, 'test', 'test', 0, 0, '', 0, count(*), 0, min(ts), max(ts), $2, null\n"
            "from events where batch_id = $1",
            (batch_id, clock()),
        )
        builds.update(connection, batch_id)


def current_alerts(connection: Connection) -> dict[Key, Finding]:
    """The alerts of a store that hold, as the oracle tells its own."""
    rows = select(
        connection,
        "select rule, baseline, candidate, code, window_bins, stop_ts, start_ts, end_ts, value, baseline_errors,\n"
        "    candidate_errors, ratio\n"
        "from alerts where state = 'current'",
    )
    found = {
        Key(rule, baseline, candidate, code, bins, second_of(stop)): Finding(
            second_of(start),
            second_of(end),
            decimals(value, 9),
            baseline_errors,
            candidate_errors,
            None if ratio is None else decimals(ratio, 6),
        )
        for (
            (rule, baseline, candidate, code, bins, stop),
            (start, end, value, baseline_errors, candidate_errors, ratio),
        ) in ((row[:6], row[6:]) for row in rows)
    }
    assert len(found) == len(rows), "two current alerts have the same natural key"
    return found


def second_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def moment_of(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=None)


def decimals(value: float, places: int) -> Fraction:
    """What a stored figure says: it is the double next to a decimal."""
    return rounded(Fraction(value), places)


def select(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    """What a query says, in an order that does not depend on when a row was written."""
    with connection.begin():
        return sorted((tuple(row) for row in connection.exec_driver_sql(sql)), key=repr)


SILENCES = (0, 1, 6, 59, 400, 1199, 1200, 1799, 1801, 3599, 3600, 3601, 4000, 9000, 16000)
"""Seconds without a record: at 60 an hour 20 would have come in 1,200 s, and above an hour it is a gap at any rate."""
YEARS_AGO = 30 * 365 * 86400


@st.composite
def build_streams(draw: st.DrawFn, build: str) -> list[Record]:
    """Runs of records at an even pace with silences between them."""
    second = MONDAY + draw(st.sampled_from((3, 0, 10, 41, 200, 1000, 13000)))
    records = []
    for _ in range(draw(st.sampled_from((2, 3, 4, 1)))):
        codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=4))
        step = draw(st.sampled_from((1, 2, 5, 13, 0, 60)))
        for number in range(draw(st.integers(1, 60))):
            records.append(Record(second + number * step, build, codes[number % len(codes)]))
        second = records[-1].second + 1 + draw(st.sampled_from(SILENCES))
    return records


@st.composite
def streams(draw: st.DrawFn) -> list[Record]:
    """Records of one to four builds, most over a murmur that keeps them from silence, with some that stray."""
    builds = draw(st.permutations(BUILDS))[: draw(st.sampled_from((3, 2, 4, 1)))]
    records = [record for build in builds for record in draw(build_streams(build))]
    pace, number = draw(st.sampled_from((40, 17, 170, 0))), draw(st.sampled_from((40, 90, 5)))
    records += [Record(MONDAY + beat * pace, build, "0") for build in builds for beat in range(number if pace else 0)]
    moments = st.sampled_from((-1, 70, -5000, 3000, 20000, -YEARS_AGO)).map(MONDAY.__add__)
    strays = st.builds(Record, moments, st.sampled_from(BUILDS), st.sampled_from(CODES))
    return records + draw(st.lists(strays, max_size=2))


COMPARISONS = (
    Comparison(),
    Comparison(baseline="5.9", candidate="5.10"),
    Comparison(baseline="5.10", candidate="5.9"),
    Comparison(baseline="5.9", candidate="latest"),
    Comparison(baseline="5.11", candidate="latest"),
    Comparison(baseline="previous", candidate="5.11"),
    Comparison(baseline="previous", candidate="6.1"),
    Comparison(builds="5.*"),
    Comparison(builds="?.1*"),
    Comparison(builds="6.*"),
    Comparison(baseline="previous", candidate="6.1", builds="5.1?"),
)


DETECTORS: tuple[Literal["mean_ratio", "mean_difference"], ...] = ("mean_ratio", "mean_difference")


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    detector = draw(st.sampled_from(DETECTORS))
    levels = (0.9, 1, 1.25, 0.5, 0.142857143, 0) if detector == "mean_ratio" else (0, 0.333333333, 1, 2.5, -1)
    return Rule(
        name=name,
        detector=detector,
        bin_seconds=draw(st.sampled_from((10, 7, 50, 60, 1))),
        window_bins=tuple(draw(st.lists(st.sampled_from((1, 2, 3, 5, 10)), min_size=1, max_size=3, unique=True))),
        threshold=draw(st.sampled_from(levels)),
    )


def _are_clear(comparisons: list[Comparison]) -> bool:
    """Not `5.9` to `latest` beside `previous` to `5.11`: one pair at two times, judged between them too."""
    open_ends = {comparison.candidate == "latest" for comparison in comparisons if _names_one_build(comparison)}
    return len(open_ends) < 2


def _names_one_build(comparison: Comparison) -> bool:
    return (comparison.baseline == "previous") != (comparison.candidate == "latest")


COMPARED = st.lists(st.sampled_from(COMPARISONS), min_size=1, max_size=3, unique=True).filter(_are_clear)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    names = ("a", "b", "c")[: draw(st.integers(1, 3))]
    return Config(
        comparison=tuple(draw(COMPARED)),
        rule=tuple(draw(rules(name)) for name in names),
        detect=DetectSettings(
            lateness_seconds=draw(st.sampled_from((0, 7, 60))),
            merge_seconds=draw(st.sampled_from((300, 0, 20, 4000))),
            reopen_seconds=draw(st.sampled_from((0, 3600))),
            # However late a record is.
            late_limit_days=400_000,
        ),
    )


def batches(records: list[Record], number: int, kind: str, seed: int) -> list[list[Record]]:
    """The records in so many batches: `in order`, `shuffled`, with `stragglers`, or `by build`."""
    chance = random.Random(seed)
    ordered = sorted(records)
    cuts = sorted(chance.randrange(len(records) + 1) for _ in range(number - 1))
    cut: list[list[Record]] = [[] for _ in range(number)]
    names = sorted({record.build for record in records})
    chance.shuffle(names)
    for place, record in enumerate(ordered):
        batch = sum(place >= end for end in cuts)
        if kind == "shuffled" or (kind == "stragglers" and chance.random() < 0.1):
            batch = chance.randrange(batch if kind == "stragglers" else 0, number)
        elif kind == "by build":
            batch = names.index(record.build) % number
        cut[batch].append(record)
    return cut


def reporting(write: Callable[[str], None]) -> Progress:
    """Progress without a terminal, that writes the words of events alone."""
    return Progress(False, lambda event: write(event.words))
