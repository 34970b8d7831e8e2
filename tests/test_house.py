"""The promises that no single module keeps: packaging, pins, sizes, the entry points for cron."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import rooms_page

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOLDERS = ("streammetrics", "jobs", "tests", "bench")
MODULES = sorted(path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)")
LOOSE_ENDS = re.compile(r"[T]ODO|[F]IXME|\b[X]XX\b|[N]otImplementedError|import [*]|pytest\.mark\.(?:[s]kip|[x]fail)\b")


def lines_of(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def pins(name: str) -> dict[str, str]:
    """The pinned versions of a requirements file, by name; a line that pins nothing is an error."""
    found: dict[str, str] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or line == "-r requirements.txt":
            continue
        match = PIN.fullmatch(line)
        assert match, f"{name}: {line!r} is not a pin"
        found[canonicalize_name(match[1])] = match[2]
    return found


@pytest.mark.slow
def test_wheel_carries_the_package_and_its_sql(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if ".dist-info/" not in name}
        (entry_points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        scripts = archive.read(entry_points).decode()
    package = {name for name in MODULES if name.startswith("streammetrics/")}
    files = [*(ROOT / "sql").rglob("*.sql"), ROOT / "sql" / "comments.csv"]
    sql = {f"streammetrics/{path.relative_to(ROOT).as_posix()}" for path in files}
    assert {Path(path).parent.name for path in sql} == {"sql", "views", "jobs", "reports", "checks", "schema"}
    page = {f"streammetrics/report/page/{name}" for name in ("page.css", "page.js", "template.html")}
    assert carried == package | sql | page | {"streammetrics/config.toml"}
    assert "streammetrics = streammetrics.cli:main" in scripts


def test_pins_fit_what_the_package_asks_for() -> None:
    pinned = pins("requirements.txt")
    required = [Requirement(text) for text in PROJECT["dependencies"]]
    unmet = [
        str(need) for need in required if not need.specifier.contains(pinned.get(canonicalize_name(need.name), "0"))
    ]
    assert unmet == []


def test_pins_of_development_add_to_those_of_running() -> None:
    lines = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    assert "-r requirements.txt" in lines
    running, developing = pins("requirements.txt"), pins("requirements-dev.txt")
    assert running.keys() & developing.keys() == set()
    required = {canonicalize_name(Requirement(text).name) for text in PROJECT["optional-dependencies"]["dev"]}
    assert required - running.keys() - developing.keys() == set()


def test_modules_can_be_held_in_mind() -> None:
    package = [name for name in MODULES if name.startswith("streammetrics/")]
    assert [name for name in package if len(lines_of(name)) > 250] == []


def test_the_package_is_its_rooms() -> None:
    """Nothing else lies at its root, and each room says what it is for."""
    top = {Path(name).parts[1] for name in MODULES if name.startswith("streammetrics/")}
    files = {"__init__.py", "__main__.py", "errors.py"}
    assert top - files == set(rooms_page.rooms()) - {"errors"}
    assert [room for room in rooms_page.rooms() if not rooms_page.purpose(room)] == []


def test_contributing_has_the_picture_of_the_rooms() -> None:
    assert rooms_page.picture() in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_no_loose_ends() -> None:
    assert [f"{name}: {line}" for name in MODULES for line in lines_of(name) if LOOSE_ENDS.search(line)] == []


@pytest.mark.parametrize("name", ["ingest", "detect"])
def test_cron_entry_point_is_the_command(name: str, tmp_path: Path) -> None:
    script = ROOT / "jobs" / f"{name}.py"
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 15
    missing = tmp_path / "missing.toml"
    done = subprocess.run(
        [sys.executable, str(script), "--config", str(missing)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 78
    assert done.stdout == ""
    assert f"{missing}: there is no such file" in done.stderr


def test_package_is_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streammetrics", "--help"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "schedule" in done.stdout
    assert done.stderr == ""
