"""Commands that messages suggest work when they are copied."""

import re
import shlex
from pathlib import Path

import pytest

from streammetrics.runtime import suggestions
from tests.cli.test_cli import COMMANDS, streammetrics

PACKAGE = Path(suggestions.__file__).parents[1]
BARE = re.compile(rf"(?<!`)\bstreammetrics ({'|'.join(COMMANDS)})\b")


@pytest.mark.parametrize(
    ("path", "text", "shown"),
    [
        (None, "`streammetrics status` shows it", "`streammetrics status` shows it"),
        ("c.toml", "`streammetrics unload 7`, then `streammetrics run`",
         "`streammetrics unload 7 --config c.toml`, then `streammetrics run --config c.toml`"),
        ("my c.toml", "`streammetrics status`", "`streammetrics status --config 'my c.toml'`"),
        ("c.toml", "streammetrics: `config.toml` is wrong", "streammetrics: `config.toml` is wrong"),
    ],
)  # fmt: skip
def test_a_suggested_command_names_the_settings(path: str | None, text: str, shown: str) -> None:
    suggestions.configure(None if path is None else Path(path))
    assert suggestions.complete(text) == shown


def test_who_reads_a_notice_is_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    suggestions.configure(Path("config.toml"), is_default=True)
    assert suggestions.command("streammetrics status") == "streammetrics status"
    assert (
        suggestions.command_anywhere("streammetrics status") == f"streammetrics status --config {tmp_path}/config.toml"
    )


def test_messages_name_commands_in_backticks() -> None:
    """Others would not be completed. The examples of --help and the demo name their settings themselves."""
    offenders = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if BARE.search(line)
        and "epilog=" not in line
        and "--config {path}" not in line
        and "suggestions.command" not in line
    ]
    assert offenders == []


@pytest.mark.slow
def test_the_suggestions_of_status_and_errors_work_when_copied(tmp_path: Path) -> None:
    settings = '[store]\npath = "s.duckdb"\n[[source]]\nname = "a"\npath = "*.csv"\n'
    (tmp_path / "my own.toml").write_text(settings)
    for arguments in (["status"], ["query", "select 1"]):
        done = streammetrics(tmp_path, *arguments, "--config", "my own.toml")
        (command,) = re.findall(r"`streammetrics (.+?)`", done.stdout + done.stderr)
        assert command == "ingest --config 'my own.toml'"
    assert streammetrics(tmp_path, *shlex.split(command)).returncode == 0
    assert (tmp_path / "s.duckdb").exists()
    (tmp_path / "config.toml").write_text('[store]\npath = "t.duckdb"\n')
    for named in ([], ["--config", "config.toml"]):
        assert "`streammetrics ingest` makes one" in streammetrics(tmp_path, "status", *named).stdout


@pytest.mark.slow
def test_the_suggestions_of_a_run_name_the_settings(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[store]\npath = "s.duckdb"\n')
    (tmp_path / "a.csv").write_text("ts,build,code\n2026-11-23 10:00:00,5.9,7\n23.11.2026 10:00:01,5.9,7\n")
    done = streammetrics(tmp_path, "run", "a.csv", "--config", "c.toml")
    assert "`streammetrics unload --config c.toml` has the file read again" in done.stderr
