"""What is old goes, in steps, and nothing that is left is judged by halves."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Comparison, Config, DetectSettings, RetentionSettings, Rule, Source, StoreSettings
from streammetrics.detect import passes
from streammetrics.store import retention
from streammetrics.store.connection import Store
from tests.ingest.feeding import Shop
from tests.oracles.mean_rules import Record
from tests.streams import MONDAY, clear, current_alerts, empty_store, load, moment_of, reporting, select

pytestmark = pytest.mark.slow

A, B = "5.9", "5.10"
DAY = 86400
RULE = Rule(name="difference", detector="mean_difference", bin_seconds=10, window_bins=(1, 60), threshold=1)
CONFIG = Config(
    rule=(RULE,),
    comparison=(Comparison(baseline=A, candidate=B),),
    detect=DetectSettings(merge_seconds=30, reopen_seconds=0),
)
NOON_OF_DAY_5 = moment_of(MONDAY + 5 * DAY + DAY // 2)
TWO_DAYS = RetentionSettings(events_days=1, counters_days=2, alerts_days=2)


def day(number: int) -> list[Record]:
    """An hour from 11:30 on, in the middle of which the newer build sends three times as much for a minute."""
    start = MONDAY + number * DAY + 41400
    even = [Record(start + second, build, "7") for build in (A, B) for second in range(0, 3600, 2)]
    return even + [Record(start + second, B, "7") for second in range(1800, 1860) for _ in range(3)]


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with empty_store() as connection:
        yield connection


def pruned(store: Connection, settings: RetentionSettings, now: datetime = NOON_OF_DAY_5) -> list[tuple[str, int]]:
    """What each step removed."""
    steps = []
    while (step := retention.prune(store, settings, now)) is not None:
        steps.append((step.relation, step.records))
    return steps


def judged(store: Connection, *days: list[Record], config: Config = CONFIG) -> None:
    clear(store)
    for records in days:
        load(store, records)
    judge(store, config)


def judge(store: Connection, config: Config = CONFIG, **options: Any) -> None:
    passes.judge(store, config, lambda: NOON_OF_DAY_5, **options)


def test_nothing_goes_unless_it_is_set(store: Connection) -> None:
    judged(store, day(0))
    assert pruned(store, RetentionSettings(), datetime(2100, 1, 1)) == []
    assert Config().retention == RetentionSettings()


def test_a_step_is_a_day_of_one_relation(store: Connection) -> None:
    judged(store, *map(day, range(6)))
    before = select(store, "select count(*) from alerts")
    steps = pruned(store, TWO_DAYS)
    # Of day 3 the counters of half an hour, of day 4 the events.
    assert steps == [
        *[("events", 3780)] * 4, ("events", 1800), *[("counters", 3780)] * 3, ("counters", 1800),
        *[("alerts", before[0][0] // 6)] * 3,
    ]  # fmt: skip
    assert select(store, "select min(second) from counters") == [(moment_of(MONDAY + 3 * DAY + DAY // 2),)]
    assert select(store, "select min(ts) from events") == [(moment_of(MONDAY + 4 * DAY + DAY // 2),)]
    assert pruned(store, TWO_DAYS) == []


def test_what_went_can_be_distinguished_from_what_was_lost(store: Connection) -> None:
    judged(store, day(0) + day(3), day(3) + day(4), day(5))
    pruned(store, TWO_DAYS)
    sums = """
    select batches.records - coalesce((select sum(records) from pruned where relation = '{0}' and batch_id = b), 0)
        - coalesce((select {1} from {0} where batch_id = b), 0)
    from (select *, batch_id as b from batches) as batches
    """
    for relation, kept in (("events", "count(*)"), ("counters", "sum(errors)")):
        assert select(store, sums.format(relation, kept)) == [(0,)] * 3


def test_late_records_behind_the_horizon_change_no_alert_and_those_before_it_do(store: Connection) -> None:
    """A bin is judged again only if nothing of its longest window (10 minutes) and of the hours of gaps is missing."""
    judged(store, *map(day, range(6)))
    pruned(store, TWO_DAYS)
    kept = current_alerts(store)
    horizon = MONDAY + 3 * DAY + DAY // 2
    load(store, [Record(horizon + 5, B, "7")] * 1000)
    judge(store)
    assert {key: found for key, found in current_alerts(store).items() if key in kept} == kept
    assert {key.stop for key in current_alerts(store).keys() - kept.keys()} <= set(range(horizon + 600, horizon + 640))
    late = MONDAY + 5 * DAY + 42000
    load(store, [Record(late, B, "7")] * 5)
    judge(store)
    assert late in {key.stop for key in current_alerts(store)}


def test_other_settings_judge_anew_what_is_kept_whole(store: Connection) -> None:
    judged(store, *map(day, range(6)))
    pruned(store, RetentionSettings(counters_days=2))
    before = current_alerts(store)
    changed = RULE.model_copy(update={"threshold": 10**6})
    judge(store, CONFIG.model_copy(update={"rule": (changed,)}))
    whole_from = MONDAY + 3 * DAY + DAY // 2 + passes.lead_seconds(CONFIG)
    assert current_alerts(store) == {key: found for key, found in before.items() if found.end <= whole_from}
    assert len(current_alerts(store)) < len(before)
    judge(store)
    assert current_alerts(store) == before


def test_an_incident_of_a_stalled_feed_outlives_its_records(store: Connection) -> None:
    """Both builds fell silent on day 0 while the incident was open; those of another family send to this day."""
    start = MONDAY + 41400
    first = [record for record in day(0) if record.build == B or record.second < start + 1870]
    others = [[Record(r.second, "web-1.0", r.code) for r in day(n) if r.build == B] for n in range(1, 6)]
    judged(store, first, *others)
    state = "select state, epoch(end_ts)::bigint from incidents"
    before = select(store, state)
    assert before[0][0] == "open"
    pruned(store, TWO_DAYS)
    for is_final in (False, True):
        judge(store, is_final=is_final)
        assert select(store, state) == before
        assert select(store, "select judged_until from progress") == [(moment_of(start + 1868),)]
    changed = CONFIG.model_copy(update={"rule": (RULE.model_copy(update={"threshold": 2.0}),)})
    judge(store, changed)
    assert select(store, "select state from incidents") == [("open",)]


def test_old_values_go_with_their_alert(store: Connection) -> None:
    judged(store, day(0), day(0), day(5))
    load(store, day(0))
    judge(store)
    assert select(store, "select count(*) > 0 from alert_revisions") == [(True,)]
    pruned(store, TWO_DAYS)
    assert select(store, "select count(*) from alert_revisions") == [(0,)]
    assert select(store, "select count(*) > 0 from alerts") == [(True,)]


def test_records_from_before_the_horizon_are_rejected(tmp_path: Path) -> None:
    with empty_store() as connection:
        shop = Shop(connection, tmp_path)
        shop.feed_text("ts,build,code\n2026-11-20 10:00:00,5.9,1\n2026-11-23 10:00:00,5.9,1\n", "a.csv")
        assert pruned(connection, RetentionSettings(counters_days=2), datetime(2026, 11, 23, 12)) == [("counters", 1)]
        late = "ts,build,code\n2026-11-20 23:59:59,5.9,1\n2026-11-21 00:00:00,5.9,1\n"
        for name, text in (("quick.csv", late), ("careful.csv", late.replace("59,5", "59Z ,5"))):
            outcome = shop.feed_text(text, name)
            assert (outcome.records, outcome.rejected) == (1, 1)
        reason = "from before 2026-11-21 00:00, of which retention keeps nothing"
        assert [(line, why) for line, why, _ in shop.rejects()] == [(2, reason)] * 2


def test_rejects_go_by_the_time_they_came(tmp_path: Path) -> None:
    with empty_store() as connection:
        shop = Shop(connection, tmp_path)
        shop.feed_text("ts,build,code\nyesterday,5.9,1\n", "a.csv", now=datetime(2026, 11, 20, 5))
        shop.feed_text("ts,build,code\ntomorrow,5.9,1\n", "b.csv", now=datetime(2026, 11, 23, 5))
        assert pruned(connection, RetentionSettings(rejects_days=2), datetime(2026, 11, 23, 12)) == [("rejects", 1)]
        assert [content for _, _, content in shop.rejects()] == ["tomorrow,5.9,1"]
        assert shop.rows("select records from pruned") == [(1,)]


def test_the_room_is_used_again(tmp_path: Path) -> None:
    """Five days pass through a store that keeps one."""
    store = Store(tmp_path / "s.duckdb")
    keep = RetentionSettings(events_days=1, counters_days=1)
    sizes = []
    for number in range(5):
        with store.write() as connection, connection.begin():
            # The texts are such that no compression makes a day's records less than many row groups.
            drawn = (
                "select timestamp '2026-11-23' + to_days($1) + to_milliseconds(i * 300), md5(i::text), md5(i::text), $1"
            )
            into = "insert into events (ts, build, code, batch_id)"
            connection.exec_driver_sql(f"{into} {drawn} from range(280000) as r (i)", (number,))
            connection.exec_driver_sql(
                "insert into counters select date_trunc('second', ts), build, code, 1, batch_id from events\n"
                "where batch_id = $1",
                (number,),
            )
        with store.write() as connection:
            pruned(connection, keep, moment_of(MONDAY + (number + 1) * DAY))
        sizes.append(store.path.stat().st_size)
    assert sizes[-1] <= max(sizes[:3]) * 1.2, sizes


def test_run_removes_what_is_old_when_all_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    path.write_text("ts,build,code\n" + "".join(f"{moment_of(r.second)},{r.build},{r.code}\n" for r in day(0) + day(5)))
    config = CONFIG.model_copy(
        update={
            "base": tmp_path, "retention": TWO_DAYS, "store": StoreSettings(path="a.duckdb"),
            "source": (Source(name="a", path="errors.csv"),),
        }
    )  # fmt: skip
    printed: list[str] = []
    session = Session(config, reporting(printed.append), printed.append, lambda: NOON_OF_DAY_5 + timedelta(hours=1))
    assert pipeline.run(session, is_final=False, exit_code=False) == 0
    assert [line.split()[0] for line in printed] == ["OPENED", "OPENED"]
    with session.store.read() as connection:
        connection.rollback()
        assert select(
            connection, "select relation, sum(records)::bigint from pruned where relation <> 'alerts' group by 1"
        ) == [
            ("counters", 3780),
            ("events", 3780),
        ]
        assert select(connection, "select min(end_ts) >= timestamp '2026-11-28' from alerts") == [(True,)]
        assert select(connection, "select count(*) from batches") == [(1,)]
    assert pipeline.run(session, is_final=False, exit_code=False) == 0
    assert len(printed) == 2
