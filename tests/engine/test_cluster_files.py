"""Files by way of a cluster leave in the store what they leave when they are read here; see local_cluster."""

import json
import os
import random
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streammetrics.config import Config, EngineSettings, Source, StoreSettings
from streammetrics.config.sections import IngestSettings
from streammetrics.errors import DamagedInputError, InputOutputError
from streammetrics.ingest import cluster, cluster_loading, cluster_rows, unload
from streammetrics.ingest.outcome import FileOutcome
from streammetrics.store.connection import Store
from tests.engine import local_cluster
from tests.ingest.feeding import NOW, THREE, Shop, shop_in

CODES = "select * exclude (repeat_batch_id) from codes order by all"
COUNTERS = "select second, build, code, sum(errors) from counters group by all order by all"
REJECTS = """
    select path, line, regexp_replace(reason, '^[0-9,]+ s ahead', 's ahead') as reason, content
    from rejects order by all
"""
LEDGER = """
    select path, records, rejected, min_ts, max_ts, (select path from batches as b where b.batch_id = a.duplicate_of)
    from batches as a where range_end > 0 order by all
"""
TIMES = (
    "2026-11-23T10:00:00Z", "2026-11-23 10:00:00", "2026-11-23T10:00:00.123456789+02:00", "2026-11-23T10:00:00-0130",
    "1795428000", "1795428000123", "1795428000123456", "179542800", "2026-11-23 24:00:00", "2026-11-23 10:00:60",
    "2026-02-30 10:00:00", "2026-11-23", "10:00:00", "2026-11-23 10:00", " 2026-11-23 10:00:00", "0000-11-23 10:00:00",
    "2026-11-23T10:00:00+15:00", "2026-11-23T10:00:00z", "2026-11-23 10:00:00.", "2027-11-23 10:00:00", "", "x",
    "2026-11-23 10:00:00\u2028", "2026-11-23 10:00:001", "-1795428000", "1795428000.5", "2026-11-23T10:00:00+0000",
)  # fmt: skip
TEXTS = ("5.9", "5.10", "E_X", "", " ", "a b", "x" * 1001, "ü", "-17", "007", "404.0", "1e3", "null", "\u2028", "\x01")
ENDS = ("", "", ",", ",u1", ",u1,", ',"u"', ",\x00")
VALUES = (
    "1", "-0", "0", "1.5", "1e3", "007", "true", "null", '""', r'"A"', '"a\tb"', r'"\""', "12345678901234567890",
    "[]", "{}", "[1,]", '{"code": 1}', '{"k": [1, {"x": "y"}]}', '{"k": {"k": {"k": {}}}}', "[1 2]", "tru", "-",
)  # fmt: skip
FIRST_LINES = ("ts,build,code,client", "2026-11-23 10:00:00,5.9,1,u")
FIRST_OBJECT = '{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": "1", "client": "u"}'
KEYS = ('"client"', '"k"', '"ts"', r'"\u0074s"', '"a"ts"b"', '" ts"', "ts", '"co"', '","')


def delimited(random_: random.Random) -> str:
    parts = [random_.choice(TIMES[: random_.choice((5, len(TIMES)))])]
    parts += [random_.choice(TEXTS[: random_.choice((3, len(TEXTS)))]) for _ in range(2)]
    if random_.random() < 0.1:
        # Records with line breaks in quotes are not for a cluster.
        parts = [random_.choice((part, f'"{part}"', f'""{part}')) for part in parts]
    return ",".join(parts) + random_.choice(ENDS)


def json_line(random_: random.Random) -> str:
    def value(usual: Sequence[str]) -> str:
        if random_.random() < 0.1:
            return random_.choice(VALUES)
        return json.dumps(random_.choice(usual), ensure_ascii=False)

    ts = random_.choice(("1795428000", value(TIMES[:5]), value(TIMES)))
    pairs = [('"ts"', ts), *((f'"{key}"', value(random_.choice((TEXTS[:3], TEXTS)))) for key in ("build", "code"))]
    pairs += [(random_.choice(KEYS), value(TEXTS)) for _ in range(random_.choice((0, 0, 1, 2)))]
    random_.shuffle(pairs)
    comma, colon = random_.choice(((",", ":"), (", ", ": "), (" ,\t", " : ")))
    line = "{" + comma.join(key + colon + inner for key, inner in pairs) + "}"
    if random_.random() < 0.05:
        place = random_.randrange(len(line))
        line = line[:place] + random_.choice(("", '"', ",", "{", "}", " ", "ts")) + line[place + 1 :]
    return line + random_.choice(("", "", "", " ", "x", "}"))


class Both:
    """Two stores: one is fed by way of the cluster, one is not."""

    def __init__(self, shop: Shop, other: Shop) -> None:
        self.here, self.there = shop, other

    def feed(self, **settings: Any) -> list[FileOutcome]:
        """Read the folder into both; what the cluster reports."""
        self.here.feed(**settings)
        return feed(self.there, **settings)

    def assert_alike(self) -> None:
        for query in (LEDGER, COUNTERS, REJECTS, CODES):
            assert self.there.rows(query) == self.here.rows(query)


def feed(shop: Shop, **settings: Any) -> list[FileOutcome]:
    settings = {"name": "feed", "path": str(shop.folder / "*.*"), **settings}
    config = Config(
        store=StoreSettings(path=str(shop.folder / "store" / "x.duckdb")),
        source=(Source.model_validate(settings),),
        ingest=IngestSettings(future_limit_seconds=3600, oldest_days=370_000),
        engine=EngineSettings(kind="spark", url="sc://nowhere", warehouse=str(shop.folder / "warehouse")),
    )
    return list(cluster.ingest(shop.connection, config, None, lambda: NOW))


@pytest.fixture(scope="module")
def one_other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop_in(tmp_path_factory.mktemp("other")) as other:
        yield other


@pytest.fixture
def both(shop: Shop, one_other: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    one_other.clear()
    one_other.folder = shop.folder
    local_cluster.install(monkeypatch)
    yield Both(shop, one_other)
    local_cluster.close()


def states(outcomes: list[FileOutcome]) -> list[tuple[str, str]]:
    return [(outcome.path.name, outcome.state) for outcome in outcomes]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_any_lines_mean_the_same(both: Both, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_loading, "MOST_COUNTERS", 7)
    random_ = random.Random(seed)
    for number in range(3):
        lines = [delimited(random_) for _ in range(400)]
        both.here.write(f"{number}.csv", "\n".join([*FIRST_LINES, *lines, ""]).encode())
        lines = [json_line(random_) for _ in range(400)]
        both.here.write(f"{number}.jsonl.gz", "\n".join([FIRST_OBJECT, *lines]).encode())
    both.feed(columns={"client": "client"})
    both.assert_alike()
    plain = sum(records for (records,) in both.there.rows("select records from pruned"))
    assert plain > 0.2 * sum(records for (records,) in both.there.rows("select records from batches")) > 100


@pytest.mark.parametrize(
    "settings",
    [
        {"timezone": "Europe/Berlin"},
        {"time_format": "%Y-%m-%d %H:%M:%S"},
        {"code_pattern": r"(\w)"},
        {"stratum": "ios"},
        {"columns": {"stratum": "client"}},
        {"columns": {"ts": ["ts", "client"]}},
        {"columns": {"ts": 1, "build": 2, "code": 3}, "header": False},
    ],
    ids=str,
)
def test_settings_mean_the_same(both: Both, settings: dict[str, Any]) -> None:
    random_ = random.Random(1)
    both.here.write("a.csv", "\n".join([*FIRST_LINES, *(delimited(random_) for _ in range(300)), ""]).encode())
    both.feed(**settings)
    both.assert_alike()


def test_lines_are_read_as_they_end(both: Both) -> None:
    lines = ["ts,build,code", *(f"2026-11-23 10:00:{n:02},5.9,{n % 3}" for n in range(60)), "x,5.9,1", "", "y,5.9,1"]
    path = both.here.write("cr.csv", "\r".join([*lines, ""]).encode("utf-8-sig"))
    os.utime(path, (1, 1))  # Here a CR at the end of a file that grows may be half a line end.
    both.here.write("crlf.csv", "\r\n".join([*lines, "z,5.9,2", ""]).encode())
    both.here.write("bad.csv", "\n".join(lines).encode() + b"\n\xff,5.9,1\n2026-11-23 10:00:00,5.9,\xfe\n")
    both.feed()
    both.assert_alike()


def test_a_last_line_without_its_end_is_one(both: Both) -> None:
    both.here.write("a.csv", THREE.rstrip())
    assert feed(both.there)[0].records == 3


def test_nothing_is_counted_twice(both: Both) -> None:
    both.here.write("a.csv", THREE)
    assert states(feed(both.there)) == [("a.csv", "loaded")]
    assert states(feed(both.there)) == [("a.csv", "skipped")]
    both.here.write("b.csv", THREE)
    again = feed(both.there)[1]
    original = both.here.folder / "a.csv"
    words = f"{both.here.folder}/b.csv: same content as {original}, which was loaded; nothing was counted again"
    assert again.message == words
    assert both.there.rows("select sum(errors) from counters") == [(3,)]
    os.utime(both.here.folder / "a.csv", (1, 1))
    assert states(feed(both.there)) == [("b.csv", "skipped"), ("a.csv", "skipped")]


def test_files_that_were_read_without_a_cluster_are_known(both: Both) -> None:
    both.here.write("a.csv", THREE)
    both.here.feed()
    assert states(feed(both.here)) == [("a.csv", "skipped")]
    both.here.write("b.csv", THREE + THREE[-30:])
    feed(both.here)
    assert states(both.here.feed()) == [("a.csv", "skipped"), ("b.csv", "skipped")]


def test_contents_that_the_source_calls_two_are_two(both: Both) -> None:
    both.here.write("a.csv", THREE)
    both.here.write("b.csv", THREE)
    feed(both.there, same_content="load")
    assert both.there.rows("select sum(errors) from counters") == [(6,)]


def test_a_file_that_changed_is_an_error_until_its_batch_is_unloaded(both: Both) -> None:
    path = both.here.write("a.csv", THREE)
    feed(both.there)
    path.write_bytes(THREE + b"2026-11-23 10:00:02,5.9,1\n")
    (outcome,) = feed(both.there)
    assert isinstance(outcome.error, InputOutputError)
    ((batch,),) = both.there.rows("select batch_id from loads where batch_id is not null")
    assert str(outcome.error) == (
        f"{path}: has changed since it was loaded as batch {batch}: put new records into files of their own; after "
        f"`streammetrics unload {batch}` it is loaded as it is now"
    )
    assert both.there.rows("select reason from refused") == [(str(outcome.error),)]
    store = SimpleNamespace(require=lambda: None, write=lambda: nullcontext(both.there.connection))
    unload.unload(cast(Store, store), [batch], None, None, NOW)
    assert both.there.rows("from loads where batch_id is not null") == []
    assert states(feed(both.there)) == [("a.csv", "loaded")]
    both.here.feed()
    both.assert_alike()


def test_a_file_that_counted_for_nothing_is_read_again(both: Both) -> None:
    both.here.write("a.csv", b"ts,build,code\n23.11.2026 10:00:00,5.9,1\n")
    (outcome,) = feed(both.there)
    assert isinstance(outcome.error, DamagedInputError)
    (outcome,) = feed(both.there, time_format="%d.%m.%Y %H:%M:%S")
    assert (outcome.records, outcome.rejected) == (1, 0)
    assert both.there.rejects() == []


def test_files_of_other_headers_are_loads_of_their_own(both: Both) -> None:
    both.here.write("a.csv", THREE)
    both.here.write("b.csv", b"code,ts,build\n1,2026-11-23 10:00:00,5.9\n")
    both.here.write("c.csv", b"a,b\n1,2\n")
    both.here.write("d.csv", THREE + b"ts,build,code\n2026-11-23 10:00:05,5.9,1\n")
    outcomes = both.feed()
    assert [(outcome.path.name, outcome.state) for outcome in outcomes] == [
        ("a.csv", "loaded"), ("d.csv", "loaded"), ("b.csv", "loaded"), ("c.csv", "failed"),
    ]  # fmt: skip
    both.assert_alike()
    assert both.there.rows("select count(distinct load) from loads") == [(2,)]


def test_a_header_of_other_columns_within_a_file_is_an_error_of_that_file(both: Both) -> None:
    path = both.here.write("a.csv", THREE + b"ts,code,build\n2026-11-23 10:00:05,1,5.9\n")
    both.here.write("b.csv", THREE)
    outcomes = feed(both.there)
    assert [(outcome.path.name, outcome.state) for outcome in outcomes] == [("a.csv", "failed"), ("b.csv", "loaded")]
    assert outcomes[0].message == (
        f"{path}: line 5 is a header of other columns, which a cluster cannot follow; `streammetrics ingest` with its "
        "name reads it on this machine"
    )
    assert both.there.rows("select sum(errors) from counters") == [(3,)]


def test_too_many_lines_that_need_a_closer_look_are_read_in_parts_or_an_error(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_loading, "MOST_OTHERS", 5)
    both.here.write("a.csv", THREE)
    both.here.write("b.csv", THREE + b"2026-11-23 10:00:02,5.9,1\n")
    both.here.write("c.csv", THREE + b"2026-11-23 10:00:02,5.9,1\n" * 2)
    outcomes = both.feed(timezone="Europe/Berlin")
    assert states(outcomes) == [("a.csv", "loaded"), ("b.csv", "loaded"), ("c.csv", "failed")]
    assert outcomes[-1].message == (
        "[[source]] 'feed': 6 of 6 new lines need a closer look, too many for this machine: docs/spark.md says which "
        "lines a cluster takes"
    )
    monkeypatch.setattr(cluster_loading, "MOST_OTHERS", 6)
    feed(both.there, timezone="Europe/Berlin")
    both.assert_alike()


def test_a_file_that_cannot_be_read_does_not_stop_the_others(both: Both) -> None:
    for number in range(5):
        both.here.write(f"{number}.csv", THREE + b"2026-11-23 10:00:02,5.9,%d\n" % number)
    both.here.write("3.csv", THREE + b"unreadable\n")
    both.here.write("notes.dat", THREE)
    outcomes = {outcome.path.name: outcome for outcome in feed(both.there)}
    failures = {name: outcome.message for name, outcome in outcomes.items() if outcome.error is not None}
    assert list(failures) == ["notes.dat", "3.csv"]
    assert "its suffix does not show what is in it" in failures["notes.dat"]
    assert failures["3.csv"] == f"the cluster failed at {both.here.folder}/3.csv: it is unreadable"
    assert both.there.rows("select count(*), sum(records) from batches") == [(4, 16)]


def test_contents_that_differ_where_nothing_is_read_are_two(both: Both) -> None:
    for name in ("a", "b"):
        both.here.write(f"{name}.csv", b"ts,build,code,host\n2026-11-23 10:00:00,5.9,1,%s\n" % name.encode())
    both.feed()
    both.assert_alike()
    assert both.there.rows("select sum(errors) from counters") == [(2,)]


def test_a_copy_is_one_whatever_the_settings_were(both: Both) -> None:
    both.here.write("a.csv", THREE)
    feed(both.there)
    both.here.write("b.csv", THREE)
    assert states(feed(both.there, stratum="ios"))[1] == ("b.csv", "skipped")
    assert both.there.rows("select sum(errors) from counters") == [(3,)]


@pytest.mark.parametrize("before", [b"ts,build,code\n23.11.2026 10:00:00,5.9,1\n", b"ts,build,code\n"])
def test_what_counted_for_nothing_is_counted_once(both: Both, before: bytes) -> None:
    both.here.write("a.csv", before)
    both.here.write("b.csv", before)
    feed(both.there)
    for name in ("a.csv", "b.csv"):
        os.utime(both.here.write(name, b"ts,build,code\n23.11.2026 10:00:00,5.9,1\n"), (1, 1))
    feed(both.there, time_format="%d.%m.%Y %H:%M:%S")
    assert both.there.rows("select sum(errors) from counters") == [(1,)]


def test_a_stratum_that_only_later_files_have_is_read(both: Both) -> None:
    line = b'{"ts": "2026-11-23 10:00:00", "build": "5.9", "code": "1"%s}\n'
    both.here.write("a.jsonl", line % b"")
    both.here.write("b.jsonl", line % b', "platform": "ios"')
    feed(both.there, columns={"stratum": "platform"})
    assert both.there.rows("select build from counters order by all") == [("5.9",), ("ios/5.9",)]


def test_a_file_of_the_cluster_is_not_read_here_once_it_was_written_to(both: Both) -> None:
    path = both.here.write("a.csv", THREE)
    feed(both.there)
    path.write_bytes(THREE + b"2026-11-23 10:00:02,5.9,1\n")
    (outcome,) = both.there.feed()
    ((batch,),) = both.there.rows("select batch_id from batches")
    assert outcome.message == (
        f"{path}: a cluster has loaded it as batch {batch}, and it has been written to since: after "
        f"`streammetrics unload {batch}` it is read here"
    )


def test_a_file_of_this_machine_is_not_read_by_a_cluster_once_it_was_written_to(both: Both) -> None:
    path = both.here.write("a.csv", THREE)
    both.here.feed()
    path.write_bytes(THREE + b"2026-11-23 10:00:02,5.9,1\n")
    (outcome,) = feed(both.here)
    ((batch,),) = both.here.rows("select batch_id from batches")
    assert outcome.message == (
        f"{path}: batch {batch} was loaded from it on this machine, and it has been written to since: after "
        f"`streammetrics unload {batch}` a cluster loads it"
    )


def test_what_a_killed_run_has_written_is_removed_and_what_is_published_stays(both: Both) -> None:
    both.here.write("a.csv", THREE)
    feed(both.there)
    ((published,),) = both.there.rows("select load from loads where batch_id is not null")
    with both.there.connection.begin():
        cluster_rows.begin(both.there.connection, "killed")
    events = both.here.folder / "warehouse" / "events"
    (events / "load=killed").mkdir()
    feed(both.there)
    assert [path.name for path in events.iterdir()] == [f"load={published}"]
    # The job of a killed run may write once more.
    (events / "load=killed").mkdir()
    feed(both.there)
    assert [path.name for path in events.iterdir()] == [f"load={published}"]
    feed(both.there)
    assert both.there.rows("select load from loads") == [(published,)]


def test_what_a_cluster_cannot_read_is_an_error(both: Both) -> None:
    path = both.here.write("a.csv", THREE.decode().encode("utf-16"))
    (outcome,) = feed(both.there)
    assert outcome.message == (
        f"{path}: is UTF-16-LE, and a cluster reads UTF-8; `streammetrics ingest` with its name reads it on this "
        "machine"
    )
    (outcome,) = feed(both.there, path=str(both.here.folder / "**" / "*.csv"))
    assert "** is not for files on a cluster; name each level, as in */*" in outcome.message
