"""The README and docs/ are true: commands run, links lead somewhere, settings exist, every exit code is listed."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from streammetrics import errors
from streammetrics.config import Config
from streammetrics.runtime import interrupts

REPOSITORY = Path(__file__).parents[1]
README = REPOSITORY / "README.md"
RELIABILITY = REPOSITORY / "docs" / "reliability.md"
PAGES = [README, REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


INSTALL, *USE = blocks(README, "sh")
"""The commands, which are run in order in an empty folder; then those of docs/query.md."""
USE += blocks(REPOSITORY / "docs" / "query.md", "sh")


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https:"):
            name, _, anchor = target.partition("#")
            other = (page.parent / name).resolve() if name else page
            if not other.exists() or (anchor and anchor not in anchors(other)):
                yield f"{page.name}: {target}"


def test_every_link_leads_somewhere() -> None:
    assert [link for page in PAGES for link in dead_links(page)] == []


def test_the_tests_that_pages_name_are_there() -> None:
    named = {name for page in PAGES for name in re.findall(r"`(tests/\S+?\.py)`", page.read_text(encoding="utf-8"))}
    named |= {
        f"tests/reliability/{name}" for name in re.findall(r"`(test_\d\d_\w+\.py)`", RELIABILITY.read_text("utf-8"))
    }
    assert len(named) > 26
    assert [name for name in sorted(named) if not (REPOSITORY / name).is_file()] == []


def test_the_readme_is_short_and_names_every_page() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    assert [page.name for page in PAGES[1:] if f"({page.relative_to(REPOSITORY)})" not in text] == []


def test_settings_that_are_shown_are_settings() -> None:
    shown = [tomllib.loads(block) for page in PAGES for block in blocks(page, "toml")]
    assert len(shown) >= 5
    for settings in shown:
        Config.model_validate(settings)


def test_every_exit_code_is_listed() -> None:
    classes: list[type[errors.StreammetricsError]] = [
        errors.StreammetricsError,
        *errors.StreammetricsError.__subclasses__(),
    ]
    used = {
        0,
        errors.EXIT_OPEN_INCIDENTS,
        errors.EXIT_NOT_ENOUGH_DATA,
        interrupts.EXIT_TERMINATED,
        *(one.exit_code for one in classes),
    }
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", README.read_text("utf-8"), re.MULTILINE)} == used


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_second_run_is_silent(tmp_path: Path, environment: dict[str, str]) -> None:
    script = "streammetrics generate --to errors.csv --records 2000 && streammetrics run errors.csv"
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=120)
    again = subprocess.run(
        ["sh", "-c", "streammetrics run errors.csv"], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert (again.stdout, again.stderr) == (b"", b"")


@pytest.mark.slow
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
    subprocess.run([sources / ".venv" / "bin" / "streammetrics", "init"], cwd=empty, env=environment, check=True)
    assert (empty / "config.toml").read_bytes() == (REPOSITORY / "config.toml").read_bytes()


def named_first(section: str) -> list[str]:
    """The code words in the first column of a section's tables."""
    rows = re.findall(r"^\| (`\w+`.*?) \|", section, re.MULTILINE)
    return re.findall(r"`(\w+)`", " ".join(rows))


def test_operators_are_told_what_each_code_and_notice_asks() -> None:
    """docs/operations.md has a row for each that the README and docs/notices.md list."""
    page = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    codes = re.findall(r"^\| (\d+) \|", README.read_text("utf-8"), re.MULTILINE)
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == codes
    notices = (REPOSITORY / "docs" / "notices.md").read_text(encoding="utf-8")
    sent = named_first(notices.partition("## What is sent")[2].partition("\n## ")[0])
    asked = named_first(page.partition("### Notices")[2].partition("\n## ")[0])
    assert len(sent) > 10
    assert sorted(asked) == sorted(sent)


def test_files_of_deploy_that_pages_name_are_there() -> None:
    named = {name for page in PAGES for name in re.findall(r"`(deploy/[\w.-]+)`", page.read_text(encoding="utf-8"))}
    assert len(named) >= 4
    assert [name for name in sorted(named) if not (REPOSITORY / name).is_file()] == []
