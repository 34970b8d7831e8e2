"""Which files are meant, and what is refused."""

import os
import socket
from datetime import datetime
from pathlib import Path

import pytest

from streammetrics.config import Config, Source, StoreSettings
from streammetrics.errors import ConfigError, InputOutputError, StreammetricsError, UsageError
from streammetrics.ingest.files import ingest
from streammetrics.ingest.outcome import FileOutcome
from streammetrics.sources import discovery
from tests.ingest.feeding import NOW, THREE, Shop

FEED = Source(name="feed", path="*")


def ask(shop: Shop, config: Config, *paths: Path, source: str | None = None) -> list[FileOutcome]:
    return list(ingest(shop.connection, config, paths, source, lambda: NOW))


def test_a_glob_is_sorted_and_passes_over_what_is_not_finished(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden.csv", "c.csv.tmp", "d.part", "e.csv.gz"):
        (tmp_path / name).touch()
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.csv" / "f.csv").touch()
    assert [path.name for path in discovery.expand(tmp_path / "*")] == ["a.csv", "b.csv", "e.csv.gz"]
    assert [path.name for path in discovery.expand(tmp_path / "**" / "*.csv")] == ["a.csv", "b.csv", "f.csv"]
    assert list(discovery.expand(tmp_path / "nothing*")) == []


def test_what_is_named_is_meant(tmp_path: Path) -> None:
    for name in (".hidden.csv", "c.csv.tmp", "a[1].csv", "a1.csv"):
        (tmp_path / name).touch()
        assert list(discovery.expand(tmp_path / name)) == [tmp_path / name]


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").touch()
    monkeypatch.chdir(tmp_path)
    assert list(discovery.expand(Path("./a.csv"))) == [tmp_path / "a.csv"]
    assert list(discovery.expand(Path("*.csv"))) == [tmp_path / "a.csv"]


def test_only_regular_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("/dev/zero")
    (tmp_path / "broken.csv").symlink_to(tmp_path / "nothing")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.csv")
    for name, what in {
        "pipe.csv": "is a pipe, socket or device; only regular files are read",
        "link.csv": "is a symbolic link; only regular files are read: name what it points to",
        "socket.csv": "is a pipe, socket or device; only regular files are read",
        "broken.csv": "is a symbolic link; only regular files are read: name what it points to",
        "missing.csv": "no such file or directory",
        ".": f"is a folder; name its files, such as {tmp_path}/*",
    }.items():
        with pytest.raises(InputOutputError) as raised:
            discovery.describe(FEED, tmp_path / name)
        assert str(raised.value) == f"{tmp_path / name}: {what}"


@pytest.mark.parametrize(
    ("name", "kind", "compression"),
    [
        ("a.csv", "csv", None),
        ("A.CSV.GZ", "csv", "gzip"),
        ("a.tsv.zst", "tsv", "zstd"),
        ("a.jsonl", "jsonl", None),
        ("a.ndjson.gz", "jsonl", "gzip"),
        ("a.b.parquet", "parquet", None),
    ],
)
def test_the_suffix_tells_the_format(tmp_path: Path, name: str, kind: str, compression: str | None) -> None:
    (tmp_path / name).touch()
    found = discovery.describe(FEED, tmp_path / name)
    assert (found.format, found.compression) == (kind, compression)


def test_the_format_is_for_suffixes_that_say_nothing(tmp_path: Path) -> None:
    source = Source(name="feed", path="*", format="jsonl")
    for name, kind in {"a.log": "jsonl", "a.log.gz": "jsonl", "a": "jsonl", "a.gz": "jsonl", "a.csv": "csv"}.items():
        (tmp_path / name).touch()
        assert discovery.describe(source, tmp_path / name).format == kind
    with pytest.raises(ConfigError, match=r"set format of \[\[source\]\] 'feed' to"):
        discovery.describe(FEED, tmp_path / "a.log.gz")


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("errors-2026-11-20.csv", "2026-11-20"),
        ("20261120.csv", "2026-11-20"),
        ("a1_20261340_20261121.csv", "2026-11-21"),
        ("2026-1120.csv", None),
        ("120261120.csv", None),
        ("errors.csv", None),
    ],
)
def test_the_date_in_a_name(tmp_path: Path, name: str, day: str | None) -> None:
    (tmp_path / name).touch()
    assert discovery.describe(Source(name="feed", path="*", date="name"), tmp_path / name).day() == day
    assert discovery.describe(FEED, tmp_path / name).day() is None


def test_a_source_names_whose_settings_apply(shop: Shop) -> None:
    path = shop.write("errors.txt", THREE.replace(b",", b"^"))
    caret = Source(name="caret", path="x", delimiter="^", format="csv")
    other = Source(name="other", path="y")
    config = Config(store=StoreSettings(path=str(shop.folder / "s.duckdb")), source=(caret, other))
    with pytest.raises(UsageError, match=r"^several \[\[source\]\] .* --source whose settings apply: caret, other$"):
        ask(shop, config, path)
    with pytest.raises(
        UsageError, match=r"^--source third: there is no such \[\[source\]\]; configured are: caret, other$"
    ):
        ask(shop, config, path, source="third")
    assert ask(shop, config, path, source="other")[0].state == "failed"
    assert ask(shop, config, path, source="caret")[0].records == 3
    assert shop.rows("select source from batches") == [("caret",)]


def test_one_source_applies_and_none_is_fine(shop: Shop) -> None:
    store = StoreSettings(path=str(shop.folder / "s.duckdb"))
    plain = shop.write("a.csv", THREE)
    assert ask(shop, Config(store=store), plain)[0].records == 3
    assert shop.rows("select source from batches") == [("files",)]
    caret = Source(name="caret", path="x", delimiter="^")
    other = shop.write("b.csv", THREE.replace(b",", b"^").replace(b"10:", b"09:"))
    assert ask(shop, Config(store=store, source=(caret,)), other)[0].records == 3
    with pytest.raises(UsageError, match="there is nothing to read"):
        ask(shop, Config(store=store))


def test_all_sources_are_read_and_paths_are_relative_to_the_settings(shop: Shop) -> None:
    shop.write("a.csv", THREE)
    shop.write("b.tsv", THREE.replace(b",", b"\t").replace(b"10:", b"09:"))
    sources = tuple(Source(name=name, path=f"*.{name}") for name in ("csv", "tsv", "jsonl"))
    config = Config(store=StoreSettings(path="s.duckdb"), source=sources, base=shop.folder)
    found = ask(shop, config)
    assert sorted((outcome.path.name, outcome.state, outcome.records) for outcome in found) == [
        ("*.jsonl", "skipped", 0),
        ("a.csv", "loaded", 3),
        ("b.tsv", "loaded", 3),
    ]
    messages = [outcome.message for outcome in found if outcome.message]
    assert messages == [f"[[source]] 'jsonl': no file matches {shop.folder}/*.jsonl"]
    assert shop.rows("select source, records from batches order by source") == [("csv", 3), ("tsv", 3)]


def test_a_file_that_two_sources_match_is_read_once(shop: Shop) -> None:
    shop.write("a.csv", THREE)
    sources = (Source(name="one", path="a*"), Source(name="two", path="*.csv", same_content="load"))
    config = Config(store=StoreSettings(path="s.duckdb"), source=sources, base=shop.folder)
    assert [outcome.records for outcome in ask(shop, config)] == [3]
    assert shop.rows("select source from batches") == [("one",)]


def test_progress_is_reported_in_bytes_of_what_is_new(shop: Shop) -> None:
    shop.write("a.csv", THREE)
    shop.feed()
    shop.write("b.csv", THREE + b"\n")
    shop.write("c.csv", THREE + b"\n\n")
    progress: list[tuple[float, float]] = []
    config = Config(store=StoreSettings(path="s.duckdb"), source=(FEED,), base=shop.folder)
    list(ingest(shop.connection, config, [], None, lambda: NOW, lambda done, total: progress.append((done, total))))
    size = len(THREE)
    assert progress == [(0, 2 * size + 3), (2 * size + 3, 2 * size + 3)]


def test_the_clock_is_read_for_each_transaction(shop: Shop) -> None:
    shop.write("a-2026-11-22.csv", THREE)
    shop.write("b-2026-11-23.csv", THREE + b"\n\n")
    hours = iter([datetime(2026, 11, 23, 12), datetime(2026, 11, 23, 13)])
    feed = Source(name="feed", path="*", date="name")
    config = Config(store=StoreSettings(path="s.duckdb"), source=(feed,), base=shop.folder)
    list(ingest(shop.connection, config, [], None, lambda: next(hours)))
    assert shop.rows("select loaded_at::text from batches order by 1") == [
        ("2026-11-23 12:00:00",),
        ("2026-11-23 13:00:00",),
    ]


def test_failures_carry_their_exit_codes(shop: Shop) -> None:
    shop.write("a.csv", b"x,y\n1,2\n")
    shop.write("b.log", THREE)
    (shop.folder / "c.csv.gz").write_bytes(b"no gzip")
    shop.write("d.csv", THREE)
    found = shop.feed()
    errors = {outcome.path.name: outcome.error for outcome in found}
    assert {name: error.exit_code for name, error in errors.items() if isinstance(error, StreammetricsError)} == {
        "a.csv": 78,
        "b.log": 78,
        "c.csv.gz": 74,
    }


@pytest.mark.parametrize("is_named", [False, True])
def test_a_name_that_is_not_utf_8_is_refused_alone(shop: Shop, is_named: bool) -> None:
    shop.write("good.csv", THREE)
    path = Path(os.fsdecode(bytes(shop.folder / "caf") + b"\xe9.csv"))
    path.write_bytes(THREE)
    found = shop.feed(*([path, shop.folder / "good.csv"] if is_named else []))
    refused, good = sorted(found, key=lambda outcome: outcome.records)
    assert (good.records, refused.message) == (3, f"{shop.folder}/caf\\xe9.csv: its name is not UTF-8: rename it")
    assert isinstance(refused.error, InputOutputError)
    config = Config(source=(Source(name="feed", path=str(shop.folder / "*")),))
    assert list(discovery.configured(config)[1].values()) == [refused.message]


def test_signs_of_globs_in_the_working_folder_are_no_wildcards(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shop.folder / "a[1] *?"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "x1.csv").write_bytes(THREE)
    monkeypatch.chdir(folder)
    found = {folder / "in" / "x1.csv": folder / "in"}
    assert discovery.expand(Path("in/*")) == discovery.expand(Path("in/x[0-9].csv")) == found
    assert [outcome.records for outcome in shop.feed(path="in/*")] == [3]
