"""Arguments in, exit code out. Errors are caught here, once, and reported in one sentence."""

import logging
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from streammetrics import config as configuration
from streammetrics.cli import maintenance, options, pictures
from streammetrics.errors import StreammetricsError, UsageError
from streammetrics.runtime import interrupts, logs, process

app = typer.Typer(
    name="streammetrics",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def chosen(log_format: options.LogFormatOption = "words", version: options.VersionOption = False) -> None:
    """Report which error codes significantly increased in the new build, since when and by how much."""
    logs.configure(log_format)


@app.command(epilog="Example: streammetrics run --config config.toml")
def run(
    paths: options.PathsArgument = None,
    config: options.ConfigOption = None,
    source: options.SourceOption = None,
    final: options.FinalOption = False,
    exit_code: options.ExitCodeOption = False,
    as_json: options.JsonOption = False,
    accept_clock: options.AcceptClockOption = False,
) -> None:
    """Read new records, judge them, and report what changed. It draws heatmaps. For cron: silent if nothing changed."""
    from streammetrics.cli import pipeline

    session = options.session_of(config, as_json, accept_clock=accept_clock)
    options.end_job(
        session, "run", lambda: pipeline.run(session, paths or (), source, is_final=final, exit_code=exit_code)
    )


@app.command(epilog="Example: streammetrics ingest errors.csv.gz --source clients")
def ingest(
    paths: options.PathsArgument = None,
    config: options.ConfigOption = None,
    source: options.SourceOption = None,
    final: options.FinalOption = False,
    accept_clock: options.AcceptClockOption = False,
) -> None:
    """Read new records from the configured sources, or from PATHs."""
    from streammetrics.cli import pipeline

    session = options.session_of(config, accept_clock=accept_clock)
    options.end_job(session, "ingest", lambda: pipeline.ingest(session, paths or (), source, is_final=final))


@app.command(epilog="Example: streammetrics detect --all --json")
def detect(
    config: options.ConfigOption = None,
    every: options.AllOption = False,
    final: options.FinalOption = False,
    exit_code: options.ExitCodeOption = False,
    as_json: options.JsonOption = False,
    accept_clock: options.AcceptClockOption = False,
) -> None:
    """Judge complete bins, and report new incidents. It prints the first alert of each."""
    from streammetrics.cli import pipeline

    session = options.session_of(config, as_json, accept_clock=accept_clock)
    options.end_job(
        session, "detect", lambda: pipeline.detect_once(session, is_final=final, every=every, exit_code=exit_code)
    )


@app.command(epilog="Example: streammetrics schedule --config config.toml")
def schedule(config: options.ConfigOption = None) -> None:
    """Start `run` at the times of [schedule], until SIGTERM or SIGINT."""
    from streammetrics.cli.schedule import serve

    path = options.config_path(config)
    options_given = ["--log-format", logs.style(), "run", *(["--config", str(path)] if path else [])]
    command = [sys.executable, "-m", "streammetrics", *options_given]
    sys.exit(serve(configuration.load(path), command))


@app.command(epilog='Example: streammetrics query "select code, count(*) from alerts group by all"')
def query(
    sql: Annotated[str | None, typer.Argument(help="One SQL statement that only reads.", show_default=False)] = None,
    config: options.ConfigOption = None,
    style: options.FormatOption = "table",
    since: options.SinceOption = None,
    until: options.UntilOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Query the history in SQL. Every table and view can be read, nothing can be written."""
    from streammetrics.query import formats
    from streammetrics.query import statement as queries

    if sql is None:
        raise UsageError(
            'name one statement: `streammetrics query "select ..."`; for many, open a copy of the store, which '
            "`streammetrics backup --to FILE.duckdb` makes, in the DuckDB shell: duckdb FILE.duckdb"
        )
    session = options.session_of(config, as_json)
    found = queries.run(session.store, sql, since, until)
    formats.write(found, "jsonl" if as_json else style, sys.stdout)


@app.command(epilog="Example: streammetrics export incidents --to incidents.csv")
def export(
    relation: Annotated[str, typer.Argument(help="A table or view, such as alerts, incidents, bins or counters_wide.")],
    to: options.ExportOption,
    config: options.ConfigOption = None,
    since: options.SinceOption = None,
    until: options.UntilOption = None,
    password_env: options.PasswordEnvOption = None,
    password_file: options.PasswordFileOption = None,
) -> None:
    """Write a table or view to a file, complete or not at all. With a URL, write alerts or incidents to a database."""
    from streammetrics.cli import exports

    session = options.session_of(config)
    if "://" in to:
        exports.to_database(session, relation, to, (since, until), password_env, password_file)
    elif password_env is not None or password_file is not None:
        raise UsageError(f"{to}: is a file; a password is only for a database URL")
    else:
        exports.to_file(session, relation, Path(to), (since, until))


@app.command(epilog="Example: streammetrics generate --to errors.csv --seed 7 --records 100000")
def generate(
    to: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="A .csv or .csv.gz file; the truth is written beside it.")
    ],
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Random seed. The same seed and --start give the same file.")
    ] = 1,
    records: Annotated[int, typer.Option("--records", min=1, help="Approximate number of records.")] = 100_000,
    hours: Annotated[float, typer.Option("--hours", min=0.01, max=87_600, help="Length of the stream in hours.")] = 1.0,
    codes: Annotated[int, typer.Option("--codes", min=5, help="Number of error codes.")] = 40,
    start: options.StartOption = None,
    effect: options.EffectOption = None,
    share: Annotated[
        float, typer.Option("--share", min=0.001, max=0.999, help="Share of users that have the new build.")
    ] = 0.5,
) -> None:
    """Write a synthetic stream of error records. Its truth goes beside it, as JSON."""
    from streammetrics.cli import pipeline
    from streammetrics.simulate import generate as streams

    session = options.session_of(None, use_default=False)
    seconds = round(hours * 3600)
    first = (start or session.clock() - timedelta(seconds=seconds)).replace(microsecond=0)
    effects = [streams.effect(text) for text in effect or ()]
    wanted = streams.default_scenario(seed, first, seconds, records, codes, share=share, effects=effects)
    pipeline.generate(session, to, wanted)


@app.command(epilog="Example: streammetrics explain --code E_TIMEOUT")
def explain(
    code: options.CodeOption,
    at: options.AtOption = None,
    rule: options.RuleOption = None,
    config: options.ConfigOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show why a rule fired for a code, or why not. It prints counts, exposure, evidence, and what prevented it."""
    from streammetrics.report import explain as explanations

    session = options.session_of(config, as_json)
    for found in explanations.explain(session.store, session.config, code, at, rule):
        session.out(explanations.as_json(found) if as_json else explanations.render(found))


@app.command(epilog="Example: streammetrics backtest --since 2026-11-20 --until 2026-11-23 --null 20")
def backtest(
    since: options.SinceOption = None,
    until: options.UntilOption = None,
    config: options.ConfigOption = None,
    null: options.NullOption = 0,
    injections: options.InjectOption = None,
    seed: options.DrawSeedOption = 1,
    as_json: options.JsonOption = False,
) -> None:
    """Judge history with these settings, and store nothing. It prints incidents; by default those of the last day."""
    from streammetrics.simulate import backtest as backtests

    wanted = [backtests.parse(text) for text in injections or ()]
    session = options.session_of(config, as_json)
    shared = session.store, session.config, session.clock, session.progress
    for found in backtests.backtest(*shared, since, until, repetitions=null, injections=wanted, seed=seed):
        session.out(backtests.render(found, as_json))


app.registered_commands += pictures.app.registered_commands + maintenance.app.registered_commands


def main(arguments: list[str] | None = None) -> None:
    """The console script: run a command, and end the process with its exit code."""
    process.prepare()
    words = "ended by SIGTERM; what was committed stays, and the next run does the rest"
    try:
        # Inside the try block: the signal may come as soon as the handler is set.
        interrupts.install(lambda: logs.write(logs.Event(f"streammetrics: {words}", "failed", logging.ERROR)))
        options.require_text(sys.argv[1:] if arguments is None else arguments)
        app(args=arguments, prog_name="streammetrics")
    except interrupts.Terminated:
        options.fail(words, interrupts.EXIT_TERMINATED, interrupts.end)
    except StreammetricsError as error:
        options.fail(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader of stdout has closed it, as `head` does: a message would reach nobody.
        process.forget_stdout()
        sys.exit(0)
    except KeyboardInterrupt:
        options.fail("interrupted; what was committed stays", 130, interrupts.end)
    except Exception as error:
        from streammetrics.store.connection import explained

        if isinstance(interrupts.cause(error), interrupts.Terminated):
            options.fail(words, interrupts.EXIT_TERMINATED, interrupts.end)
        failure = explained(error)
        if failure is None:
            raise
        options.fail(str(failure), failure.exit_code)
