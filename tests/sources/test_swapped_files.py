"""Who may write into a spool can put a link or a pipe in a file's place: no target is read, and no job hangs."""

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streammetrics.errors import InputOutputError
from streammetrics.runtime import atomic_files
from streammetrics.sources import disposal, reader, unpack
from streammetrics.sources.open_once import DEVICE, LINK, held
from streammetrics.sources.tail import Tail
from tests.ingest.feeding import THREE, THREE_EVENTS, Shop

SECRET = b"ts,build,code\n2026-11-23 10:00:00,SECRET,7\n"


def swap(path: Path, kind: str) -> None:
    path.unlink()
    if kind == "link":
        target = path.parent / ".secret"
        target.write_bytes(SECRET)
        path.symlink_to(target)
    else:
        os.mkfifo(path)


def before(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, act: Callable[[], None]) -> None:
    """Do something once, before a function is called first."""
    function = getattr(place, name)
    waiting = [act]

    def changed(*arguments: Any, **named: Any) -> Any:
        while waiting:
            waiting.pop()()
        return function(*arguments, **named)

    monkeypatch.setattr(place, name, changed)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst", "a.parquet"])
@pytest.mark.parametrize(("kind", "reason"), [("link", LINK), ("pipe", DEVICE)])
def test_it_is_refused_between_looking_and_opening(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: str, reason: str, name: str
) -> None:
    path = shop.write(name, THREE)
    good = shop.write("b.csv", THREE)
    before(monkeypatch, unpack, "unpack", lambda: swap(path, kind))
    swapped, other = shop.feed()
    assert (swapped.message, other.records, other.path) == (f"{path}: {reason}", 3, good)
    assert isinstance(swapped.error, InputOutputError)
    assert shop.events() == THREE_EVENTS


@pytest.mark.parametrize("settings", [{}, {"after": "delete"}, {"after": "move"}])
@pytest.mark.parametrize(("place", "name"), [(unpack, "unpack"), (disposal, "dispose")])
def test_no_folder_is_exchanged_for_a_link(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, settings: dict[str, Any]
) -> None:
    """What lies elsewhere under the same name is not read before the files are opened, nor disposed of after that."""
    folder, secret = shop.folder / "in" / "a", shop.folder / "secret"
    for path, content in ((folder, THREE), (secret, SECRET.ljust(len(THREE), b"\n"))):
        path.mkdir(parents=True)
        (path / "x.csv").write_bytes(content)
        os.utime(path / "x.csv", (10**9, 10**9))

    def exchange() -> None:
        folder.rename(shop.folder / "former")
        folder.symlink_to(secret)

    before(monkeypatch, place, name, exchange)
    if "move" in settings.values():
        settings = {**settings, "move_to": str(shop.folder / "done")}
    (outcome,) = shop.feed(path=str(shop.folder / "in" / "*" / "*.csv"), **settings)
    is_kept = place is disposal and not settings
    assert outcome.message == ("" if is_kept else f"{folder}: {LINK}")
    assert shop.events() == (THREE_EVENTS if place is disposal else [])
    assert (secret / "x.csv").exists()


def test_a_folder_that_cannot_be_listed_is_passed_through(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.csv").write_bytes(THREE)
    (tmp_path / "a").chmod(0o100)
    try:
        with held(tmp_path / "a" / "b" / "x.csv", tmp_path) as lying:
            assert lying.read_bytes() == THREE
    finally:
        (tmp_path / "a").chmod(0o700)


@pytest.mark.parametrize("kind", ["link", "pipe"])
@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_what_was_opened_is_read(shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    path = shop.folder / name
    if name.endswith("parquet"):
        row = "select timestamp '2026-11-23 10:00:00' as ts, '5.9' as build, 404 as code"
        duckdb.execute(f"copy ({row}) to '{path}' (format parquet)")
    else:
        path.write_bytes(THREE)
    before(monkeypatch, reader, "plan", lambda: swap(path, kind))
    (outcome,) = shop.feed()
    # It was not what it was: nothing of it counts, or what was opened.
    assert outcome.state == "failed" or shop.events() == THREE_EVENTS[: outcome.records]
    assert "SECRET" not in {build for _, build, _ in shop.events()}


def test_files_of_one_name_in_turn_are_distinguished(shop: Shop) -> None:
    """The same descriptor is used again: what was read by it before is not taken for the next."""
    for number in range(4):
        path = shop.folder / f"{number}.parquet"
        row = f"select timestamp '2026-11-23 10:00:00' as ts, '5.9' as build, {number} as code"
        duckdb.execute(f"copy ({row}) to '{path}' (format parquet)")
        os.utime(path, (10**9, 10**9))
    shop.feed()
    assert [code for *_, code in shop.events()] == ["0", "1", "2", "3"]


def test_a_damaged_file_is_named_as_it_is_called(shop: Shop) -> None:
    path = shop.write("a.parquet", b"PAR1" + THREE)
    (outcome,) = shop.feed()
    assert str(path) in outcome.message
    assert "/proc/" not in outcome.message


def test_no_target_of_a_link_is_moved(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """To another disk what was read is copied."""
    path = shop.write("a.csv", THREE)

    def elsewhere() -> None:
        swap(path, "link")
        raise OSError(18, "Invalid cross-device link")

    before(monkeypatch, atomic_files, "move", elsewhere)
    done = shop.folder / "done"
    (outcome,) = shop.feed(path=str(shop.folder / "*.csv"), after="move", move_to=str(done))
    assert outcome.message == f"{path}: {LINK}"
    assert not any(found.is_file() and found.read_bytes() == SECRET for found in done.rglob("*"))
    assert path.is_symlink()


def test_no_descriptor_is_left(shop: Shop) -> None:
    gc.collect()  # what other tests have left
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for number in range(5):
        (shop.folder / f"{number}.csv").symlink_to("/dev/null")
        for path in (shop.folder / f"{number}.csv", Path("/dev/null")):
            with pytest.raises(InputOutputError), held(path):
                pass
    (shop.folder / "link").symlink_to(shop.folder)
    with pytest.raises(InputOutputError), held(shop.folder / "link" / "x.csv", shop.folder.parent):
        pass
    shop.write("x.csv", THREE)
    shop.write("x.parquet", THREE)
    shop.feed()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
