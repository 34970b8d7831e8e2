"""What a command does, end to end. Data go to `out` (stdout), words to `say` (stderr); the result is an exit code."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics import detect, incidents, narrate
from streammetrics.alerts import Amendment
from streammetrics.config import Config
from streammetrics.detect import Pass
from streammetrics.errors import EXIT_OPEN_INCIDENTS, InputOutputError, StreammetricsError
from streammetrics.store import Store

if TYPE_CHECKING:
    from streammetrics.generate import Scenario
    from streammetrics.progress import Progress


def utc_now() -> datetime:
    """The clock of jobs: naive UTC, as the store keeps times."""
    return datetime.now(UTC).replace(tzinfo=None)


def print_line(text: str) -> None:
    """A line to stdout."""
    print(text, flush=True)


@dataclass(frozen=True)
class Session:
    """What all commands share: the settings, the clock, and where words and data go."""

    config: Config
    progress: "Progress"
    out: Callable[[str], None] = print_line
    clock: Callable[[], datetime] = utc_now
    as_json: bool = False

    @property
    def store(self) -> Store:
        settings = self.config.store
        return Store(self.config.store_path, settings.lock_wait_seconds, settings.memory_limit)

    def say(self, text: str) -> None:
        self.progress.say(text)


def ingest(session: Session, paths: Iterable[Path] = (), source: str | None = None, *, is_final: bool = False) -> int:
    """Read what is new. Files that fail are told of and do not stop the others; the first failure decides the code."""
    with session.store.write() as connection:
        return _ingest(session, connection, paths, source, is_final)


def detect_once(session: Session, *, is_final: bool, every: bool, exit_code: bool) -> int:
    """One pass, and the first alert of each new incident (`every`: all new alerts) as blocks or lines of JSON."""
    with session.store.write() as connection:
        done = judge(session, connection, is_final=is_final)
        found = incidents.alerts_of(connection, done.run_ids, every=every)
        count = incidents.open_incidents(connection)
    amendment = done.amendment
    lines = (
        map(narrate.as_json, found)
        if session.as_json
        else narrate.blocks(found, None if every else narrate.MOST_BLOCKS)
    )
    for line in lines:
        session.out(line)
    if amendment != Amendment() or session.progress.is_terminal:
        session.say(
            f"{amendment.new:,} new alerts, {amendment.revised:,} revised, {amendment.retracted:,} retracted; "
            f"{count:,} incidents open"
        )
    return EXIT_OPEN_INCIDENTS if exit_code and count else 0


def run(
    session: Session, paths: Iterable[Path] = (), source: str | None = None, *, is_final: bool, exit_code: bool
) -> int:
    """Ingest, judge, tell what changed, draw. Made for cron: silent where nothing opened, got worse or ended."""
    with session.store.write() as connection:
        code = _ingest(session, connection, paths, source, is_final)
        is_changed = _judge_and_tell(session, connection, is_final)
        count = incidents.open_incidents(connection) if exit_code else 0
    if is_changed:
        # A picture comes last and fails alone: it never delays what people have to hear.
        undrawn = _draw(session)
        code = code or undrawn
    return code or (EXIT_OPEN_INCIDENTS if count else 0)


def generate(session: Session, target: Path, scenario: "Scenario") -> None:
    """Write a labelled stream to `target`, the truth beside it, and print both paths."""
    from streammetrics import generate as streams

    with session.progress.task("generating"):
        stream = streams.generate(scenario)
        streams.write(stream, target)
    session.say(f"{len(stream.ts):,} records; what is true of them is in the .truth.json file")
    session.out(str(target))
    session.out(str(streams.truth_path(target)))


def _change_lines(session: Session, changed: list[incidents.Change]) -> Iterable[str]:
    if session.as_json:
        return (narrate.as_json({"change": found.change, **found.incident}) for found in changed)
    return narrate.change_lines(changed)


def _ingest(session: Session, connection: Connection, paths: Iterable[Path], source: str | None, is_final: bool) -> int:
    from streammetrics.ingest import ingest

    code = 0
    with session.progress.task("reading") as advance:
        outcomes = ingest(connection, session.config, list(paths), source, session.clock, advance, is_final=is_final)
        for outcome in outcomes:
            if outcome.message:
                session.say(outcome.message)
            elif outcome.state == "loaded" and session.progress.is_terminal:
                session.say(f"{outcome.path}: {outcome.records:,} records")
            if outcome.waiting_bytes and session.progress.is_terminal:
                session.say(f"{outcome.path}: {outcome.waiting_bytes:,} bytes wait for their line's end (or --final)")
            if outcome.error is not None:
                code = code or outcome.error.exit_code
    return code


def _judge_and_tell(session: Session, connection: Connection, is_final: bool) -> bool:
    """A pass, and what it changed to `out`; whether anything waited to be judged."""
    with connection.begin():
        waiting = detect.plan(connection, session.config, is_final=is_final)
        if waiting is not None:
            incidents.snapshot(connection, "incidents_before", waiting[0])
    try:
        judge(session, connection, is_final=is_final)
    except Exception:
        # The portions before the one that failed are stored, and the next run would take them for told.
        with suppress(DBAPIError):
            _tell(session, connection, waiting)
        raise
    _tell(session, connection, waiting)
    return waiting is not None


def _tell(session: Session, connection: Connection, waiting: tuple[int, int] | None) -> None:
    if waiting is None:
        return
    with connection.begin():
        incidents.snapshot(connection, "incidents_after", waiting[0])
        changed = incidents.changes(connection)
    for line in _change_lines(session, changed):
        session.out(line)


def judge(session: Session, connection: Connection, *, is_final: bool) -> Pass:
    """One pass, with progress; one that fails is recorded in `runs`."""
    started_at = session.clock()
    try:
        with session.progress.task("judging") as advance:
            return detect.judge(connection, session.config, session.clock, is_final=is_final, on_portion=advance)
    except Exception as error:
        _record_failure(session, connection, started_at, error)
        raise


def _record_failure(session: Session, connection: Connection, started_at: datetime, error: Exception) -> None:
    """Tell `runs`, where the store still takes it: after a full disk every call of this process fails."""
    try:
        detect.record_failure(connection, started_at, session.clock(), f"{type(error).__name__}: {error}"[:500])
    except DBAPIError as second:
        session.say(f"the failed pass could not be recorded in runs: {str(second.orig)[:200]}")


def _draw(session: Session) -> int:
    from streammetrics import pictures

    try:
        with session.progress.task("drawing"), session.store.read() as connection:
            pictures.draw_all(connection, session.config, session.config.output_dir)
    except (StreammetricsError, OSError) as error:
        session.say(f"the heatmaps could not be drawn: {error}")
        return getattr(error, "exit_code", InputOutputError.exit_code)
    return 0
