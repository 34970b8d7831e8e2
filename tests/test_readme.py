"""The README's commands do what it says: every `sh` block is run, in order, in an empty folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
BLOCKS = re.findall(r"```sh\n(.*?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)
INSTALL, USE = BLOCKS[0], BLOCKS[1:]

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which `streammetrics` is this checkout's."""
    commands = tmp_path / "bin"
    commands.mkdir()
    script = commands / "streammetrics"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streammetrics "$@"\n')
    script.chmod(0o755)
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(REPOSITORY)}


def test_the_commands_work_one_after_another(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    for command in "".join(USE).splitlines():
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    for name in ("errors.csv", "errors.truth.json", "incidents.csv", "alerts.parquet", "heatmap.png"):
        assert (folder / name).stat().st_size > 0, name
    assert (folder / "incidents.csv").read_text().startswith("incident_id,rule,detector,baseline,candidate,code,")


def test_the_second_run_is_silent(tmp_path: Path, environment: dict[str, str]) -> None:
    script = "streammetrics generate --to errors.csv --records 2000 && streammetrics run errors.csv"
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=120)
    again = subprocess.run(
        ["sh", "-c", "streammetrics run errors.csv"], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert (again.stdout, again.stderr) == (b"", b"")


def test_installing_and_the_demo_work_from_the_wheel(tmp_path: Path) -> None:
    """What a person does who has the sources and nothing else; pinned versions, so that it is what was tested."""
    sources = tmp_path / "sources"
    ignored = shutil.ignore_patterns(".venv*", ".git", "var", "__pycache__", ".*_cache", "build", "dist")
    shutil.copytree(REPOSITORY, sources, ignore=ignored)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_CONSTRAINT": str(sources / "requirements.txt"),
    }
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
    for command in INSTALL.replace("python3 -m venv", f'"{sys.executable}" -m venv').splitlines():
        subprocess.run(
            ["sh", "-c", command], cwd=sources, env=environment, check=True, capture_output=True, timeout=600
        )
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run(
        [sources / ".venv" / "bin" / "streammetrics", "demo"],
        cwd=empty, env=environment, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "mean_difference): exactly the truth" in done.stdout
    assert "sequential): exactly the truth" in done.stdout
    assert len(list((empty / "var" / "demo" / "out").glob("*.png"))) == 3
