"""Commands that set up, inspect and maintain an installation."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from streammetrics.cli import options
from streammetrics.errors import UsageError

app = typer.Typer()


@app.command(epilog="Example: streammetrics init errors.csv")
def init(
    sample: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A sample file; its format and columns are detected.")
    ] = None,
) -> None:
    """Write a commented config.toml, for FILE or with all defaults. Prints on stderr what it assumed."""
    from streammetrics.cli import starting

    sys.exit(starting.init(options.session_of(None, use_default=False), sample))


@app.command(epilog="Example: streammetrics status --json")
def status(
    config: options.ConfigOption = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit with 1 if no job ended for 3 intervals, or a source is silent or refused."),
    ] = False,
    as_json: options.JsonOption = False,
) -> None:
    """Show what is stored, judged, open, and waiting to be read."""
    from streammetrics.report import status as statuses

    session = options.session_of(config, as_json)
    found = statuses.collect(session.store, session.config, session.clock())
    if check:
        problems = statuses.check(found, session.config.schedule.interval_seconds(found.now))
        session.out("\n".join(problems) or "ok")
        sys.exit(1 if problems else 0)
    if as_json:
        session.out(statuses.as_json(found))
    else:
        session.show(statuses.render(found))


@app.command(epilog="Example: streammetrics verdict --candidate 5.10 --wait 30m")
def verdict(
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="BUILD", help="Only comparisons with this baseline.")
    ] = None,
    candidate: Annotated[str | None, typer.Option("--candidate", metavar="BUILD", help="Only this candidate.")] = None,
    code: Annotated[str | None, typer.Option("--code", metavar="CODE", help="Only this error code.")] = None,
    wait: options.WaitOption = None,
    config: options.ConfigOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Say whether candidates are worse. Exit code 3: worse, 0: not worse, 4: not enough data to tell."""
    from streammetrics.cli import polling

    sys.exit(polling.verdict(options.session_of(config, as_json), baseline, candidate, code, wait or 0))


@app.command(epilog="Example: streammetrics notify --test")
def notify(
    config: options.ConfigOption = None,
    test: Annotated[bool, typer.Option("--test", help="Send a test notice to each channel instead.")] = False,
) -> None:
    """Send the notices that the channels have not accepted yet. Exits with 74 if a channel fails."""
    from streammetrics.cli import notifying

    session = options.session_of(config)
    if not session.config.channel:
        raise UsageError("config.toml has no [[channel]]: docs/notices.md shows how to set one")
    sys.exit(notifying.test(session) if test else notifying.deliver(session))


@app.command(epilog="Example: streammetrics doctor --repair")
def doctor(
    config: options.ConfigOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="First rebuild counters, builds, codes and views from the stored records.")
    ] = False,
    as_json: options.JsonOption = False,
) -> None:
    """Check the store against its ledger. It prints what to do, and exits with 1 if something is wrong."""
    from streammetrics.doctor import diagnosis as doctors

    session = options.session_of(config, as_json)
    for done in doctors.mend(session.store) if repair else ():
        session.say(done, "doctor.mended")
    code = 0
    for finding in doctors.examine(session.store, session.config, session.clock()):
        if as_json:
            session.out(doctors.as_json(finding))
        else:
            session.show(doctors.render(finding))
        code = 1
    if not code:
        session.say(f"{session.config.store_path}: nothing is wrong", "doctor.done")
    sys.exit(code)


@app.command(epilog="Example: streammetrics unload 12 13")
def unload(
    batches: Annotated[
        list[int] | None, typer.Argument(metavar="[BATCH]...", help="Batch numbers, from table `batches`.")
    ] = None,
    config: options.ConfigOption = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Unload all batches of this source loaded since --since."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", metavar="TIME", parser=options.time, help="Batches with loaded_at at or after this time, UTC."
        ),
    ] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Remove batches that were loaded with wrong settings. The next run reads their files again, and judges again.

    Later batches of the same file or database are removed too, because they continue the removed ones.
    """
    from streammetrics.ingest import unload as unloads

    session = options.session_of(config, as_json)
    if batches and (source is not None or since is not None):
        raise UsageError("name batches, or give --source NAME and --since TIME, not both")
    found = unloads.unload(session.store, batches or (), source, since, session.clock())
    for one in found:
        session.out(unloads.as_json(one) if as_json else unloads.render(one))
    for words in unloads.summary(found):
        session.say(words, "unload.done")


@app.command(epilog="Example: streammetrics backup --to /backup/streammetrics.duckdb")
def backup(
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A DuckDB file; an existing one is replaced.")],
    config: options.ConfigOption = None,
) -> None:
    """Copy the store while jobs run. The copy appears complete or not at all."""
    from streammetrics.store import backup as backups

    session = options.session_of(config)
    with session.progress.task("copying"):
        size = backups.backup(session.store, to)
    session.say(f"{to}: {size:,} bytes", "backup.written", path=str(to), bytes=size)


@app.command(epilog="Example: streammetrics demo --dir /tmp/demo")
def demo(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="FOLDER", help="Folder of the demo; recreated each time.")
    ] = Path("var/demo"),
) -> None:
    """Run everything on an hour of synthetic records. It prints the results beside the known increases."""
    from streammetrics.cli import demo as demonstration

    sys.exit(demonstration.demo(options.session_of(None, use_default=False), folder))
