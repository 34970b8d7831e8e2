"""The options that commands share, and how their values are parsed."""

import logging
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from streammetrics import config as configuration
from streammetrics.cli.session import Session, exit_code_of
from streammetrics.errors import InputOutputError, UsageError
from streammetrics.notify import heartbeat
from streammetrics.query.formats import Style
from streammetrics.runtime import logs, suggestions, utc
from streammetrics.runtime.logs import Event
from streammetrics.runtime.progress import Progress
from streammetrics.runtime.terminal import printable_lines


def time(text: str) -> datetime:
    """A time of the command line as naive UTC. A trailing ` UTC`, as messages print it, is accepted.

    Raises:
        BadParameter: it is no time.
    """
    try:
        return utc.naive(datetime.fromisoformat(text.strip().removesuffix(" UTC")))
    except ValueError:
        raise typer.BadParameter(f"{text}: is not a time such as 2026-11-23T06:00 or 2026-11-23") from None


def duration(text: str) -> float:
    """A length of time such as 30m, in seconds.

    Raises:
        BadParameter: it is none.
    """
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in units:
        raise typer.BadParameter(f"{text}: is not a length of time such as 90s, 30m or 2h")
    return int(number) * units[unit]


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings; default: config.toml in the working directory, if it exists."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
LogFormatOption = Annotated[
    logs.Style,
    typer.Option("--log-format", metavar="FORMAT", help="Format of stderr: words or json (time, level, run id)."),
]
PathsArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="[PATH]...", help="Files to read instead of the configured sources.")
]
SourceOption = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="Read the PATHs with the settings of this [[source]].")
]
FormatOption = Annotated[Style, typer.Option("--format", metavar="FORMAT", help="table, csv or jsonl.")]
FinalOption = Annotated[
    bool, typer.Option("--final", help="The input is complete: read incomplete last lines, judge the last bin.")
]
AcceptClockOption = Annotated[
    bool, typer.Option("--accept-clock", help="Trust the clock, however far it is from the time of the last run.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Print every new alert, not only the first of each incident.")]
ExitCodeOption = Annotated[bool, typer.Option("--exit-code", help="Exit with 3 while incidents are open.")]
SinceOption = Annotated[
    datetime | None,
    typer.Option("--since", metavar="TIME", parser=time, help="From this time on, UTC, such as 2026-11-23T06:00."),
]
UntilOption = Annotated[
    datetime | None, typer.Option("--until", metavar="TIME", parser=time, help="Before this time, UTC.")
]
WaitOption = Annotated[
    float | None,
    typer.Option(
        "--wait", metavar="TIME", parser=duration, help="Wait at most this long for enough data, such as 30m."
    ),
]
StartOption = Annotated[
    datetime | None,
    typer.Option("--start", metavar="TIME", parser=time, help="First record, UTC. Default: the stream ends now."),
]
EffectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--effect",
        metavar="CODE=RATIO@SECOND",
        help="From SECOND on, multiply the new build's rate of CODE by RATIO. Replaces the default changes.",
    ),
]
PictureOption = Annotated[
    Path, typer.Option("--to", metavar="FILE", help="A .png or .svg file; several pictures get suffixes.")
]
ExportOption = Annotated[
    str,
    typer.Option(
        "--to", metavar="FILE|URL", help="A .csv, .parquet or .jsonl file; or postgresql://user@host/database."
    ),
]
PasswordEnvOption = Annotated[
    str | None,
    typer.Option("--password-env", metavar="NAME", help="The environment variable that holds the database's password."),
]
PasswordFileOption = Annotated[
    Path | None, typer.Option("--password-file", metavar="FILE", help="The file that holds the database's password.")
]
RuleOption = Annotated[str | None, typer.Option("--rule", metavar="NAME", help="Only this rule.")]
CodeOption = Annotated[str, typer.Option("--code", metavar="CODE", help="The error code.")]
AtOption = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        metavar="TIME",
        parser=time,
        help="Explain the bins that contain this time (UTC). Default: the latest alert.",
    ),
]
NullOption = Annotated[
    int, typer.Option("--null", metavar="N", min=0, help="Measure false alarms: draw the builds at random N times.")
]
InjectOption = Annotated[
    list[str] | None,
    typer.Option("--inject", metavar="code=C,ratio=R,at=TIME", help="Add an increase, and report when it is detected."),
]
DrawSeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random draws.")]


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"streammetrics {version('streammetrics')}")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and end.")
]


def fail(message: str, code: int, end: Callable[[int], NoReturn] = sys.exit) -> NoReturn:
    """Report an error and end the process; by `interrupts.end` where a statement of DuckDB may still be at work."""
    words = printable_lines(f"streammetrics: {suggestions.complete(message)}")
    logs.write(Event(words, "failed", logging.ERROR, fields={"exit_code": code}))
    end(code)


def config_path(path: Path | None) -> Path | None:
    """The settings file that applies: the named one, else config.toml in the working directory, if it exists."""
    if path is None and configuration.DEFAULT_CONFIG.exists():
        return configuration.DEFAULT_CONFIG
    return path


def require_text(arguments: Sequence[str]) -> None:
    """Refuse arguments that neither the store nor DuckDB accepts as a path; `run` and `ingest` refuse files one by one.

    Raises:
        UsageError: an argument is not UTF-8.
    """
    if not {"run", "ingest"}.isdisjoint(arguments):
        return
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{argument}: is not UTF-8; use another name, or rename the file") from None


def end_job(session: Session, job: str, work: Callable[[], int]) -> NoReturn:
    """Do the work of a job, send the exit code to its heartbeat, also after a failure, and end the process with it."""
    code = 1
    try:
        code = work()
    except BaseException as error:
        code = exit_code_of(error)
        raise
    finally:
        try:
            heartbeat.beat(session.config, job, code)
        except InputOutputError as error:
            session.say(str(error), "heartbeat.failed", logging.ERROR)
        except Exception as error:
            # A failed heartbeat changes nothing, and the error's text may contain the URL.
            session.say(f"heartbeat.{job}: failed with {type(error).__name__}", "heartbeat.failed", logging.ERROR)
    sys.exit(code)


def session_of(
    path: Path | None, as_json: bool = False, use_default: bool = True, *, accept_clock: bool = False
) -> Session:
    """A command's session; without `use_default`, config.toml in the working directory is ignored."""
    found = config_path(path) if use_default else path
    suggestions.configure(found, is_default=found == configuration.DEFAULT_CONFIG)
    progress = Progress(sys.stderr.isatty(), logs.write, is_logged=logs.style() != "words")
    return Session(configuration.load(found), progress, as_json=as_json, accept_clock=accept_clock)
