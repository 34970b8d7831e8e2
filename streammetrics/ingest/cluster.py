"""Loads files with a Spark cluster; the structure is that of `files`.

The cluster reads the files and keeps their records in its warehouse. The store gets counters, and the lines that need a
closer look, which are read like lines of local files, so that every reader gives the same result. A load is one
transaction, and the next run removes a load that was not committed.

A file on a cluster is complete: one that changes after it was loaded is an error. A line is a record: quoted fields
have no line breaks.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import Connection

from streammetrics.config import Config, Source
from streammetrics.engine import cluster_files
from streammetrics.engine.cluster_files import ClusterFile
from streammetrics.errors import ConfigError, StreammetricsError
from streammetrics.ingest import cluster_rows
from streammetrics.ingest.cluster_loading import Found, Loader
from streammetrics.ingest.files import Clock, OnProgress, scratch_folder, wanted
from streammetrics.ingest.outcome import FileOutcome, failed
from streammetrics.sources import discovery, ledger
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.ledger import Refusals


def ingest(
    connection: Connection,
    config: Config,
    source: str | None,
    clock: Clock,
    on_progress: OnProgress = lambda done, total: None,
) -> Iterator[FileOutcome]:
    """Load what is new in the files of the configured sources; yields outcomes like `files.ingest`."""
    refusals = Refusals(connection, config, clock)
    _remove_unfinished(connection, config)
    found: dict[Path, Found] = {}
    for chosen, path in wanted(config, (), source):
        try:
            matches = _listed(config, str(chosen.path))
        except StreammetricsError as error:
            yield failed(path, error)
            continue
        if not matches:
            words = f"[[source]] {chosen.name!r}: no file on the cluster matches {chosen.path}"
            yield FileOutcome(path, "skipped", message=words)
        for match in matches:
            try:
                one = _described(chosen, match)
            except StreammetricsError as error:
                yield failed(Path(match.path), error)
                continue
            found.setdefault(one.file.path, one)
    known = ledger.known(connection, config, (one.file for one in found.values()))
    for path, is_done in known.items():
        refusals.settle(path)
        yield FileOutcome(path, "skipped", is_done=is_done)
    waiting = [one for path, one in found.items() if path not in known]
    if not waiting:
        return
    total, done = sum(one.file.size for one in waiting), 0
    on_progress(done, total)
    with scratch_folder(config) as scratch:
        loader = Loader(connection, config, clock, scratch)
        for together in _alike(config, waiting):
            for outcome in loader.load(together):
                if outcome.error is not None:
                    refusals.refuse(outcome.path, together[0].file.source, str(outcome.error))
                else:
                    refusals.settle(outcome.path)
                yield outcome
            done += sum(one.file.size for one in together)
            on_progress(done, total)


def _remove_unfinished(connection: Connection, config: Config) -> None:
    """Remove loads of killed runs. A load stays listed until all its files are gone: its Spark job may still write."""
    with connection.begin():
        for load in cluster_rows.unfinished(connection):
            if not cluster_files.remove(config.engine, load):
                cluster_rows.forget(connection, load)


def _listed(config: Config, path: str) -> list[ClusterFile]:
    """The files that match a glob of the settings, as on this machine: not the files in matching folders.

    Raises:
        ConfigError: it has a wildcard that means something else on a cluster.
    """
    if "**" in path:
        raise ConfigError(f'path = "{path}": ** is not for files on a cluster; name each level, as in */*')
    if "://" not in path:
        place = config.resolve(path)
        is_ours = place.is_relative_to(config.base)
        path = cluster_files.literal(str(config.base)) + f"/{place.relative_to(config.base)}" if is_ours else str(place)
    return [
        file
        for file in cluster_files.listed(config.engine, path)
        if file.path.count("/") == path.count("/") and not discovery.is_unfinished(Path(file.path))
    ]


def _described(source: Source, one: ClusterFile) -> Found:
    path = Path(one.path)
    kind, compression = discovery.kind_of(source, path)
    modified_ns = one.exactly_modified_ns()
    return Found(SourceFile(source, path, kind, compression, one.size, modified_ns, is_final=True), one)


def _alike(config: Config, files: Iterable[Found]) -> Iterable[list[Found]]:
    """Groups of files of the same source, format and day; Parquet files also by the types of their columns.

    Raises:
        InputOutputError: the cluster does not answer.
    """
    found: dict[tuple[object, ...], list[Found]] = {}
    for one in files:
        types = () if one.file.is_text else cluster_files.types(config.engine, one.cluster.path)
        found.setdefault((one.file.source.name, one.file.format, one.file.day(), types), []).append(one)
    return found.values()
