"""Checks around the store (disk, left-over files, sources), and of a store that does not open."""

import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.doctor.findings import MOST_ROWS, RESTORE, Finding
from streammetrics.runtime import atomic_files, terminal
from streammetrics.sources import discovery, exposure, ledger
from streammetrics.store.connection import begins_as_store

LEAST_FREE_BYTES = 500_000_000
"""With less free space a larger run may fill the disk."""

LEFT_SECONDS = 3600
"""Unfinished files that are older than this were left by a killed process."""


def around(connection: Connection, config: Config) -> Iterator[Finding]:
    """Free disk, left-over files, and whether the sources can be read: now, and by the last run that tried."""
    store = config.store_path
    free = shutil.disk_usage(store.parent).free
    if free < LEAST_FREE_BYTES:
        yield Finding(
            "disk", f"{store.parent}: {free:,} bytes are free", "make room: with less than 500 MB runs may fail"
        )
    scratch = Path(f"{store}.scratch")
    if scratch.exists():
        yield Finding("scratch", f"{scratch}: was left by a run that was killed", "the next ingest removes it")
    written = (path.parent for path in (store, config.publish_path, config.metrics_path) if path is not None)
    for folder in sorted({*written, config.output_dir}):
        yield from _left_behind(folder)
    for source in config.source:
        if source.path is not None:
            yield from _unreadable(config, source.name, Path(source.path))
    _, refused = discovery.configured(config)
    earlier = {path: why for path, why in ledger.refused(connection, config).items() if path not in refused}
    yield from _each(refused.values(), "move it away, or correct the path that matches it; it makes runs fail")
    yield from _each(
        earlier.values(), "correct it, or the settings of its source; the next `streammetrics run` reads it"
    )
    for message in exposure.read(config).unread:
        yield Finding(
            "exposure", message, "correct it, or its path; until then runs exit with 78, and do everything else"
        )


def _each(refused: Collection[str], advice: str) -> Iterator[Finding]:
    for message in islice(refused, MOST_ROWS):
        yield Finding("sources", terminal.one_line(message), advice)
    if len(refused) > MOST_ROWS:
        yield Finding("sources", f"and {len(refused) - MOST_ROWS:,} more of them", advice)


def _left_behind(folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.glob(atomic_files.UNFINISHED)):
        if time.time() - path.stat().st_mtime > LEFT_SECONDS:
            yield Finding("unfinished", f"{path}: was left by a command that was killed", "remove it")


def _unreadable(config: Config, name: str, pattern: Path) -> Iterator[Finding]:
    """The deepest folder of a glob that has no wildcard in it."""
    folder = pattern.parent
    while any(sign in str(folder) for sign in "*?["):
        folder = folder.parent
    folder = config.resolve(str(folder))
    if not folder.is_dir():
        yield Finding("sources", f"[[source]] {name!r}: there is no folder {folder}", "create it, or correct its path")
    elif not os.access(folder, os.R_OK | os.X_OK):
        yield Finding("sources", f"[[source]] {name!r}: {folder} cannot be read", "let the user of the jobs read it")


def damage(store: Path, message: str) -> Finding:
    """Findings for a store that does not open, or fails while it is read. No other process may have it open."""
    log = Path(f"{store}.wal")
    if not begins_as_store(store):
        return Finding("file", f"{store}: does not begin as a DuckDB file does: {message}", RESTORE)
    if log.exists() and _opens_without_log(store):
        return Finding(
            "log",
            f"{log}: is damaged, while the store without it is whole: {message}",
            f"move {log.name} away: its content is lost, records and ledger alike, so the next run reads those "
            "files once more; or " + RESTORE,
        )
    return Finding("file", f"{store}: is damaged: {message}", RESTORE)


def _opens_without_log(store: Path) -> bool:
    """Open the store under another name, without its log. By a hard link, because DuckDB follows symbolic ones."""
    import duckdb

    with ExitStack() as held:
        try:
            alone = Path(
                held.enter_context(TemporaryDirectory(dir=store.parent, prefix=".doctor.tmp-")), "alone.duckdb"
            )
            alone.hardlink_to(store.resolve())
        except OSError:
            # The folder belongs to another user, or its file system has no links.
            alone = Path(held.enter_context(TemporaryDirectory()), "alone.duckdb")
            try:
                shutil.copyfile(store, alone)
            except OSError:
                return False
        try:
            with duckdb.connect(str(alone), read_only=True) as connection:
                connection.execute("select * from store_info").fetchall()
        except duckdb.Error:
            return False
    return True
