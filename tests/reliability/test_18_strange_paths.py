"""What is no regular file under its own name is refused with the reason, unopened, and the others load."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streammetrics.config import Config, Source
from streammetrics.errors import InputOutputError
from streammetrics.sources import discovery
from tests.ingest.feeding import THREE, THREE_EVENTS, Shop

pytestmark = pytest.mark.reliability

LINK = "is a symbolic link; only regular files are read: name what it points to"
DEVICE = "is a pipe, socket or device; only regular files are read"


def make_strange(folder: Path) -> dict[str, str]:
    """Strange things that a glob matches, and why each is refused."""
    (folder / "target.txt").write_bytes(THREE)
    os.mkfifo(folder / "pipe.csv")
    links = {"link.csv": folder / "target.txt", "zero.csv": Path("/dev/zero"), "dangling.csv": folder / "nothing"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
    return {"pipe.csv": DEVICE, **dict.fromkeys(links, LINK)}


def test_a_glob_reads_regular_files_alone(shop: Shop) -> None:
    reasons = make_strange(shop.folder)
    shop.write("good.csv", THREE)
    found = {outcome.path.name: outcome for outcome in shop.feed(path=str(shop.folder / "*.csv"))}
    refused = {name: outcome.message for name, outcome in found.items() if outcome.state == "failed"}
    assert refused == {name: f"{shop.folder / name}: {reason}" for name, reason in reasons.items()}
    assert all(isinstance(found[name].error, InputOutputError) for name in reasons)
    assert shop.events() == THREE_EVENTS


@pytest.mark.parametrize("name", ["a/../target.csv", "../{folder}/target.csv", "a/b/../../*.csv"])
def test_a_path_that_climbs_is_refused(shop: Shop, name: str) -> None:
    """Behind a link to a folder it would be another folder than the one that is written."""
    (shop.folder / "a" / "b").mkdir(parents=True)
    shop.write("target.csv", THREE)
    path = shop.folder / name.format(folder=shop.folder.name)
    reported = f"{path}: a path with .. in it is refused; write it without"
    assert [outcome.message for outcome in shop.feed(path)] == [reported]
    assert [outcome.message for outcome in shop.feed(path=str(path))] == [reported]
    assert shop.events() == []


def test_a_folder_may_be_a_link(shop: Shop) -> None:
    """As /var/log often is."""
    (shop.folder / "real").mkdir()
    (shop.folder / "real" / "a.csv").write_bytes(THREE)
    (shop.folder / "link").symlink_to(shop.folder / "real")
    assert shop.feed(path=str(shop.folder / "link" / "*.csv"))[0].records == 3


@pytest.mark.parametrize("pattern", ["in/*/*.csv", "in/**/*.csv", "in/*/sub/*.csv", "in/*/a.csv", "i[n]/lnk/*.csv"])
@pytest.mark.parametrize("after", ["keep", "move", "delete"])
def test_no_link_is_followed_from_the_first_wildcard_on(shop: Shop, pattern: str, after: str) -> None:
    inner = "sub" if "sub" in pattern else "."
    secret = shop.folder / "secret" / inner / "a.csv"
    good = shop.folder / "in" / "good" / inner / "a.csv"
    for path in (secret, good, secret.with_name("b.csv")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(THREE if path == good else b"ts,build,code\n2026-11-23 10:00:00,SECRET,x\n")
    link = shop.folder / "in" / "lnk"
    link.symlink_to(shop.folder / "secret")
    settings: dict[str, Any] = {"move_to": str(shop.folder / "done")} if after == "move" else {}
    found = shop.feed(path=str(shop.folder / pattern), after=after, **settings)
    assert [outcome.message for outcome in found if outcome.state == "failed"] == [f"{link}: {LINK}"]
    assert shop.events() == ([] if pattern.startswith("i[n]") else THREE_EVENTS)
    assert secret.exists()
    config = Config(source=(Source(name="feed", path=str(shop.folder / pattern)),))
    assert list(discovery.configured(config)[1].values()) == [f"{link}: {LINK}"]


def test_a_link_within_the_base_is_left_out(shop: Shop) -> None:
    """As `latest` beside folders of days: its files are found under their own path."""
    (shop.folder / "in" / "2026-11-23").mkdir(parents=True)
    (shop.folder / "in" / "2026-11-23" / "a.csv").write_bytes(THREE)
    (shop.folder / "in" / "latest").symlink_to("2026-11-23")
    outcomes = shop.feed(path=str(shop.folder / "in" / "*" / "*.csv"))
    assert [(one.path.parent.name, one.records) for one in outcomes] == [("2026-11-23", 3)]


def test_a_folder_called_like_a_wildcard_is_no_fixed_one(shop: Shop) -> None:
    """Who may write into the spool could make one."""
    (shop.folder / "secret").mkdir()
    (shop.folder / "secret" / "a.csv").write_bytes(THREE)
    (shop.folder / "*").symlink_to(shop.folder / "secret")
    path = shop.folder / "*" / "a.csv"
    assert [outcome.message for outcome in shop.feed(path=str(path))] == [f"{path.parent}: {LINK}"]


@pytest.mark.slow
def test_the_program_ends_with_74_and_does_not_hang(tmp_path: Path, record_property: Any) -> None:
    make_strange(tmp_path)
    paths = ["pipe.csv", "link.csv", "zero.csv", "/dev/zero", "/dev/stdin", "../x.csv"]
    config = tmp_path / "config.toml"
    config.write_text('[store]\npath = "s.duckdb"\n[[source]]\nname = "feed"\npath = "*"\nformat = "csv"\n')
    done = subprocess.run(
        [sys.executable, "-m", "streammetrics", "ingest", "--config", config, *paths],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 74
    reported = done.stderr.splitlines()
    assert len(reported) == len(paths)
    assert all("only regular files are read" in line or "a path with .." in line for line in reported)
    record_property("seen", f"{len(paths)} of {len(paths)} refused")
