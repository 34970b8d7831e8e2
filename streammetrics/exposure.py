"""How many users each build has from when on: the [[exposure]] entries of config.toml and the files that they name.

A file is read as those of sources are: any line may be bad without harm to the others, and one without its end waits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from streammetrics.config import Config, Exposure, Source
from streammetrics.config.source import SourceColumns
from streammetrics.errors import ConfigError
from streammetrics.sources import delimited, lines
from streammetrics.sources.columns import places
from streammetrics.sources.content import Content, codec_of
from streammetrics.sources.delimited import Head
from streammetrics.sources.files import SourceFile
from streammetrics.sources.fingerprints import Snapshot
from streammetrics.sources.plain import plain

EVER = datetime(1, 1, 1)  # noqa: DTZ001 - naive means UTC throughout
"""Since when what has no `since` holds."""

_NAMES = {"ts": "since", "build": "build", "code": "users"}

_SOURCE = Source(name="exposure", path="*", columns=SourceColumns(ts="since", build="build", code="users"))

_ALLOWED = "a build of 1 to 200 letters, users from 0 to 1e15, and a year from 1 to 9999 in UTC are meant"

ExposureRow = tuple[datetime, str, float]
"""Since when (naive UTC, whole seconds), build, users."""


@dataclass(frozen=True)
class Told:
    """All rows, in order of time, and a sentence for each line that is none.

    `is_whole`: False where a file has no heading yet, as somebody is writing it.
    """

    rows: list[ExposureRow]
    problems: list[str]
    is_whole: bool


def read(config: Config) -> Told:
    """What the entries say; of two for one build and second the later one in the configuration counts.

    Raises:
        ConfigError: a file is missing, or has not the columns that are meant.
    """
    found: dict[tuple[datetime, str], float] = {}
    problems: list[str] = []
    is_whole = True
    for entry in config.exposure:
        told = _file_rows(config.resolve(entry.path)) if entry.path is not None else [entry]
        for row in told:
            if row is None:
                is_whole = False
            elif isinstance(row, str):
                problems.append(row)
            elif row.build is not None and row.users is not None:
                since = EVER if row.since is None else row.since.replace(microsecond=0)
                found[since, row.build] = row.users
    return Told(sorted((since, build, users) for (since, build), users in found.items()), problems, is_whole)


def exposure_rows(config: Config) -> list[ExposureRow]:
    """The rows alone."""
    return read(config).rows


def problems(config: Config) -> list[str]:
    """What is wrong with the files, a sentence each."""
    try:
        return read(config).problems
    except ConfigError as error:
        return [str(error)]


def _file_rows(path: Path) -> Iterator[Exposure | str | None]:
    """The rows of a file, sentences for what is none, and None where it has no heading yet."""
    try:
        found, snapshot = path.stat(), Snapshot(path)
    except OSError as error:
        raise ConfigError(f"exposure.path: {path}: cannot be read: {error}") from None
    file = SourceFile(_SOURCE, path, "csv", None, found.st_size, found.st_mtime_ns)
    is_over = file.is_over(datetime.now(UTC).replace(tzinfo=None))
    stop = snapshot.size if is_over else lines.last_end(snapshot, 0)
    data = snapshot.read(0, stop)
    head = delimited.sniff(file, Content(path, data))
    at = places(file, head.fields)
    if not head.fields and not is_over:
        yield None
        return
    if missing := sorted(name for role, name in _NAMES.items() if role not in at):
        raise ConfigError(
            f"exposure.path: {path}: has no column {' and '.join(missing)}; a CSV of since, build, users is meant"
        )
    text = b"".join(plain([data], codec_of(data), head.delimiter, head.lead + 1)).decode()
    for number, line in enumerate(text.split("\n"), start=head.lead + 2):
        if not line.strip("\0"):
            continue
        try:
            yield _row(line, head, at)
        except ValueError as error:
            problem = _ALLOWED if isinstance(error, ValidationError) else error
            yield (
                f"exposure.path: {path}: line {number} is left out: {problem}; "
                "since is a time such as 2026-11-23T06:00, in UTC where it has no offset, users a number"
            )


def _row(line: str, head: Head, at: Mapping[str, int]) -> Exposure:
    text, _, mark = line.partition("\0")
    if reason := mark[2:]:
        raise ValueError(reason)
    row = delimited.fields(text, head.delimiter, is_spaced=head.is_spaced, is_strict=True)
    while len(row) > len(head.fields) and not row[-1]:
        row.pop()
    if len(row) != len(head.fields):
        raise ValueError(f"expected {len(head.fields)} fields, found {len(row)}")
    since = datetime.fromisoformat(row[at["ts"]]) if row[at["ts"]] else None
    return Exposure(build=row[at["build"]], users=float(row[at["code"]]), since=since)
