"""How many clients sent the code of an incident, on each side, as far as `events` knows."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Channel, Comparison, Config, RetentionSettings, Source, StoreSettings
from streammetrics.detect import clients, passes
from streammetrics.detect.clients import Clients
from streammetrics.detect.incidents import Change, Incident, Latest
from streammetrics.runtime.progress import Progress
from streammetrics.store import retention
from tests.ingest.feeding import Shop

NOON = datetime(2026, 11, 23, 12)
SOURCE = Source.model_validate({"name": "feed", "path": "*", "columns": {"client": "user"}})
INCIDENT = Incident(
    incident_id=5, rule="regression", detector="sequential", baseline="1.0", candidate="1.1", code="7", start_ts=NOON,
    stop_ts=NOON, end_ts=NOON + timedelta(minutes=10), alerts=9, peak_value=30.0, threshold=6.0, baseline_errors=1,
    candidate_errors=2, ratio=5.0, ratio_low=4.0, ratio_high=6.0, state="open", exposure="equal", candidate_share=0.5,
    dispersion=1.0, opened_ts=NOON,
)  # fmt: skip

Row = tuple[float, str, str, str]
"""A record: minutes since noon, build, code and user."""

BUILDS = [(-60 - n, build, "1", "") for n in range(25) for build in ("1.0", "1.1")]
"""What makes both builds part of a comparison."""


def config(**sections: Any) -> Config:
    return Config(store=StoreSettings(path="s.duckdb"), source=(SOURCE,), **sections)


def feed(shop: Shop, rows: Sequence[Row]) -> None:
    lines = [f"{NOON + timedelta(minutes=minute)},{build},{code},{user}\n" for minute, build, code, user in rows]
    text = "ts,build,code,user\n" + "".join(lines)
    shop.feed_text(text, now=NOON + timedelta(days=1), columns={"client": "user"})


def opened(**columns: Any) -> Change:
    return Change("opened", replace(INCIDENT, **columns))


def counted(shop: Shop, *changed: Change, **sections: Any) -> dict[int, Clients]:
    with shop.connection.begin():
        passes.plan(shop.connection, settings := config(**sections), is_final=False)
        return clients.of_changes(shop.connection, settings, changed)


def test_each_client_counts_once_on_each_side(shop: Shop) -> None:
    feed(
        shop,
        [
            *BUILDS,
            (0, "1.0", "7", "a"), (1, "1.0", "7", "a"),
            (0, "1.1", "7", "a"), (1, "1.1", "7", "b"), (2, "1.1", "7", "b"), (3, "1.1", "7", ""),
            (99, "1.1", "7", "c"),
            # Before the onset, of another code and of another build.
            (-0.01, "1.1", "7", "d"), (1, "1.1", "8", "e"), (1, "1.2", "7", "f"),
        ],
    )  # fmt: skip
    assert counted(shop, opened()) == {5: Clients(1, 3)}
    # What is over is counted up to its end; each incident on its own, from its own onset.
    others = [opened(incident_id=6, code="8"), opened(incident_id=7, start_ts=NOON + timedelta(minutes=50))]
    found = counted(shop, opened(state="resolved"), *others)
    assert found == {5: Clients(1, 2), 6: Clients(0, 1), 7: Clients(0, 1)}


def test_what_is_back_counts_from_its_latest_onset(shop: Shop) -> None:
    users = [(0, "1.1", "7", "a"), (30, "1.1", "7", "b"), (31, "1.1", "7", "c"), (0, "1.1", "8", "d")]
    feed(shop, [*BUILDS, *users])
    again = Latest(NOON + timedelta(minutes=30), 9.0, 6.0, 10, 20, 2.0, 1.5, 2.5, "equal", 0.5)
    back = Change("reopened", INCIDENT, again=again)
    assert counted(shop, back, opened(incident_id=6, code="8")) == {5: Clients(0, 2), 6: Clients(0, 1)}


def test_a_side_whose_records_have_no_client_is_unknown(shop: Shop) -> None:
    feed(shop, [*BUILDS, (0, "1.0", "7", ""), (0, "1.1", "7", "a"), (0, "1.0", "8", ""), (0, "1.1", "8", "")])
    assert counted(shop, opened(), opened(incident_id=6, code="8")) == {5: Clients(None, 1)}


@pytest.mark.parametrize(("minutes", "expected"), [(0, {5: Clients(0, 1)}), (-1, {})])
def test_what_retention_has_removed_is_unknown(shop: Shop, minutes: int, expected: dict[int, Clients]) -> None:
    """Records from before noon are removed: an incident since then is whole, one that began before is not."""
    feed(shop, [*BUILDS, (0, "1.1", "7", "a")])
    step = retention.prune(shop.connection, RetentionSettings(events_days=1), NOON + timedelta(days=1))
    assert step is not None
    assert (step.relation, step.before) == ("events", NOON)
    assert counted(shop, opened(start_ts=NOON + timedelta(minutes=minutes))) == expected


def test_what_was_sent_days_before_is_unknown(shop: Shop) -> None:
    """A candidate of several builds counts a client once."""
    users = [(0, "1.0", "7", "a"), (1, "1.1", "7", "a"), (2, "1.1", "7", "b"), (-1440, "1.0", "7", "c")]
    feed(shop, [*BUILDS, *users])
    earlier = Comparison(baseline="earlier", candidate="1.*")
    incident = opened(baseline="1.* a day earlier", candidate="1.*")
    assert counted(shop, incident, comparison=(earlier,)) == {5: Clients(None, 2)}


def test_nothing_is_read_where_no_source_has_clients() -> None:
    found = Config(store=StoreSettings(path="s.duckdb"), source=(SOURCE.model_copy(update={"columns": None}),))
    no_connection: Any = None
    assert clients.of_changes(no_connection, found, [Change("opened", INCIDENT)]) == {}
    assert clients.of_changes(no_connection, config(), []) == {}


@pytest.mark.slow
@pytest.mark.parametrize("has_column", [True, False])
def test_notices_count_clients(tmp_path: Path, has_column: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of a channel has a line of them, the JSON of all channels two fields; without a column null."""
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
    lines = ["ts,build,code,user"]
    for second in range(2400):
        moment = NOON + timedelta(seconds=second)
        lines += [f"{moment},{build},{code},{second % 3}" for build in ("1.0", "1.1") for code in ("1", "2")]
        lines += [f"{moment},1.1,2,{second % 20}"] * (4 if second >= 1200 else 0)
    (tmp_path / "errors.csv").write_text("\n".join([*lines, ""]))
    settings = Config(
        store=StoreSettings(path="s.duckdb"),
        source=(SOURCE.model_copy(update={"path": "*.csv"} | ({} if has_column else {"columns": None})),),
        comparison=(Comparison(exposure="equal"),),
        channel=(Channel(name="hook", kind="command", command=("true",)),),
        base=tmp_path,
    )
    quiet = Progress(False, lambda _: None)
    session = Session(settings, quiet, list[str]().append, lambda: NOON + timedelta(seconds=2400))
    assert pipeline.run(session, is_final=True, exit_code=False) == 0
    with session.store.read() as connection:
        sql = "select channel, text, json from notices where change = 'opened' order by channel"
        (hook, words, sent), (stdout, line, printed) = connection.exec_driver_sql(sql)
    assert (hook, stdout) == ("hook", "stdout")
    found = [(one["baseline_clients"], one["candidate_clients"]) for one in map(json.loads, (sent, printed))]
    assert found == [(3, 20) if has_column else (None, None)] * 2
    assert ("\nclients: 3 -> 20\n" in words) == has_column
    assert "clients" not in line
