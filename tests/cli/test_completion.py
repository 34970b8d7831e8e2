"""Shell completion, as docs/operations.md describes it: bash for real, the scripts and answers of zsh and fish."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_cli import REPOSITORY, streammetrics

pytestmark = pytest.mark.slow


def in_bash(folder: Path, script: str) -> str:
    """What a script prints in a bash that has `streammetrics` in its PATH, and `folder` as its home."""
    command = folder / "bin" / "streammetrics"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streammetrics "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(REPOSITORY), "HOME": str(folder)}
    return subprocess.run(
        ["bash", "-c", script], env=environment, cwd=folder, capture_output=True, text=True, check=True, timeout=120
    ).stdout


COMPLETE = (
    '{}; COMP_WORDS=(streammetrics {}) COMP_CWORD={}; _streammetrics_completion streammetrics; echo "${{COMPREPLY[@]}}"'
)


@pytest.mark.parametrize(
    ("words", "number", "found"),
    [("back", 1, "backtest backup"), ("heatmap --s", 2, "--since"), ("init x --", 3, "--help")],
)
def test_bash_completes_commands_and_options(tmp_path: Path, words: str, number: int, found: str) -> None:
    shown = in_bash(tmp_path, COMPLETE.format('eval "$(streammetrics --show-completion)"', words, number))
    assert shown == f"{found}\n"


def test_bash_completes_after_install(tmp_path: Path) -> None:
    assert "bash completion installed" in in_bash(tmp_path, "streammetrics --install-completion; true")
    assert in_bash(tmp_path, COMPLETE.format("source ~/.bashrc", "verd", 1)) == "verdict\n"


@pytest.mark.parametrize(
    ("shell", "script", "words"),
    [
        (
            "bash",
            "complete -o default -F _streammetrics_completion streammetrics",
            {"COMP_WORDS": "streammetrics verd"},
        ),
        ("zsh", "compdef _streammetrics_completion streammetrics", {"_TYPER_COMPLETE_ARGS": "streammetrics verd"}),
        ("fish", "complete --command streammetrics", {"_TYPER_COMPLETE_ARGS": "streammetrics verd"}),
    ],
)
def test_each_shell_has_a_script_and_answers(tmp_path: Path, shell: str, script: str, words: dict[str, str]) -> None:
    shown = streammetrics(tmp_path, environment={"_STREAMMETRICS_COMPLETE": f"source_{shell}"})
    assert (shown.returncode, shown.stderr) == (0, "")
    assert script in shown.stdout
    words |= {
        "_STREAMMETRICS_COMPLETE": f"complete_{shell}",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    answer = streammetrics(tmp_path, environment=words)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "verdict" in answer.stdout
    assert "status" not in answer.stdout
