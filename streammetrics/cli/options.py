"""What commands have in common: their options, and what these mean."""

import logging
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from streammetrics import config as configuration
from streammetrics.cli.session import Session
from streammetrics.errors import UsageError
from streammetrics.runtime import interrupts, logs, utc
from streammetrics.runtime.logs import Event
from streammetrics.runtime.progress import Progress
from streammetrics.runtime.terminal import printable_lines

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings; default: config.toml in the working directory, if it exists."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
LogFormatOption = Annotated[
    str, typer.Option("--log-format", metavar="FORMAT", help="Of stderr: words, text (time, level, run id) or json.")
]
PathsArgument = Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="Files instead of the sources.")]
SourceOption = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="Whose columns, date and time zone apply to the PATHs.")
]
FinalOption = Annotated[bool, typer.Option("--final", help="The input is over: last lines and bins are complete.")]
AcceptClockOption = Annotated[
    bool, typer.Option("--accept-clock", help="The clock is right, however far it is from the last run's.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Print every new alert, not the first of each incident.")]
ExitCodeOption = Annotated[bool, typer.Option("--exit-code", help="End with 3 while incidents are open.")]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="From this time on, UTC, such as 2026-11-23T06:00.")
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before this time, UTC.")]
StartOption = Annotated[str | None, typer.Option("--start", metavar="TIME", help="UTC; default: so that it ends now.")]
PictureOption = Annotated[
    Path, typer.Option("--to", metavar="FILE", help="A .png or .svg file; several pictures get suffixes.")
]
RuleOption = Annotated[str | None, typer.Option("--rule", metavar="NAME", help="Only of this rule.")]
CodeOption = Annotated[str, typer.Option("--code", metavar="CODE", help="The error code.")]
AtOption = Annotated[
    str, typer.Option("--at", metavar="TIME", help="UTC; the bins that hold it, such as an alert's stop_ts.")
]
NullOption = Annotated[
    int, typer.Option("--null", metavar="N", min=0, help="Measure false alarms: draw the builds at random N times.")
]
InjectOption = Annotated[
    list[str] | None,
    typer.Option("--inject", metavar="code=C,ratio=R,at=TIME", help="Add an increase, and report when it is detected."),
]
DrawSeedOption = Annotated[int, typer.Option("--seed", min=0, help="Decides all draws.")]


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"streammetrics {version('streammetrics')}")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version and end.")
]


def refuse_beside(option: str, context: typer.Context, names: Sequence[str]) -> None:
    """Where an option says all, others say nothing.

    Raises:
        UsageError: one of those with these names was given.
    """
    sources = {name: context.get_parameter_source(name) for name in names}
    given = [f"--{name}" for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if given:
        raise UsageError(f"{option} says all of that; leave out {', '.join(given)}")


def fail(message: str, code: int) -> NoReturn:
    """Report an error and end the process."""
    _report(message, code)
    sys.exit(code)


def fail_at_once(message: str, code: int) -> NoReturn:
    """Report what interrupted the command and end the process, as a statement of DuckDB may still be at work."""
    _report(message, code)
    interrupts.end(code)


def _report(message: str, code: int) -> None:
    logs.write(Event(printable_lines(f"streammetrics: {message}"), "failed", logging.ERROR, exit_code=code))


def config_path(path: Path | None) -> Path | None:
    """The settings that apply: the file that was named, else that of the working directory, if there is one."""
    if path is None and configuration.DEFAULT_CONFIG.exists():
        return configuration.DEFAULT_CONFIG
    return path


def require_text(arguments: Sequence[str]) -> None:
    """Refuse what neither the store nor DuckDB takes as a path; `run` and `ingest` refuse such files one by one.

    Raises:
        UsageError: an argument is not UTF-8.
    """
    if not {"run", "ingest"}.isdisjoint(arguments):
        return
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{argument}: is not UTF-8: name it, or the file, otherwise") from None


def session_of(
    path: Path | None, as_json: bool = False, use_default: bool = True, *, accept_clock: bool = False
) -> Session:
    """A command's session; without `use_default` the file in the working directory does not count."""
    found = config_path(path) if use_default else path
    progress = Progress(sys.stderr.isatty(), logs.write, is_logged=logs.style() != "words")
    return Session(configuration.load(found), progress, as_json=as_json, accept_clock=accept_clock)


def moment_of(text: str | None, option: str) -> datetime | None:
    """A time of the command line as naive UTC."""
    return None if text is None else required_moment(text, option)


def span_of(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The times of --since and --until."""
    return moment_of(since, "--since"), moment_of(until, "--until")


def required_moment(text: str, option: str) -> datetime:
    """The same, where there has to be one.

    Raises:
        UsageError: `text`, which `option` was given, is not a time.
    """
    try:
        return utc.naive(datetime.fromisoformat(text.strip()))
    except ValueError:
        raise UsageError(f"{option} {text}: is not a time such as 2026-11-23T06:00 or 2026-11-23") from None
