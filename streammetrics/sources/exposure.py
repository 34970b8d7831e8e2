"""How many users each build has since when: the [[exposure]] entries of config.toml and their files.

A file is read like those of sources: a bad line does not affect the others, and a line without a line end waits. A file
that cannot be read stops nothing: its former rows stay in use, and comparisons of builds without known users wait.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from streammetrics.config import Config, Exposure, Source
from streammetrics.config.source import SourceColumns
from streammetrics.errors import ConfigError, InputOutputError, StreammetricsError
from streammetrics.sources import delimited
from streammetrics.sources.checks import binary_kind
from streammetrics.sources.columns import places
from streammetrics.sources.delimited import Head
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.open_once import held
from streammetrics.sources.plain import plain
from streammetrics.sources.snapshot import Snapshot

EVER = datetime(1, 1, 1)  # noqa: DTZ001 - naive means UTC throughout
"""The time of rows without `since`."""

_NAMES = {"ts": "since", "build": "build", "code": "users"}

_SOURCE = Source(name="exposure", path="*", columns=SourceColumns(ts="since", build="build", code="users"))

_THOUSANDS = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")

_ALLOWED = "expected a build of 1 to 200 letters, users from 0 to 1e15, and a year from 1 to 9999 in UTC"

_HELD = "; its former rows stay in use, and comparisons of builds without known users wait for it"

ExposureRow = tuple[datetime, str, float]
"""Since when (naive UTC, whole seconds), build, users."""


@dataclass(frozen=True)
class ExposureRows:
    """All rows, in order of time, and a sentence for each bad line and for each file that cannot be read.

    `is_whole`: False if a file cannot be read, or ends within a line because it is being written.
    """

    rows: list[ExposureRow]
    bad_lines: list[str]
    unread: list[str]
    is_whole: bool

    @property
    def problems(self) -> list[str]:
        return self.unread + self.bad_lines


def read(config: Config) -> ExposureRows:
    """All rows of the entries; of two rows for the same build and second, the later one in the configuration counts."""
    found: dict[tuple[datetime, str], float] = {}
    bad_lines: list[str] = []
    unread: list[str] = []
    is_whole = True
    for entry in config.exposure:
        path = None if entry.path is None else config.resolve(entry.path)
        try:
            for row in [entry] if path is None else _file_rows(path):
                if row is None:
                    is_whole = False
                elif isinstance(row, str):
                    bad_lines.append(f"exposure.path: {path}: {row}")
                elif row.build is not None and row.users is not None:
                    since = EVER if row.since is None else row.since.replace(microsecond=0)
                    found[since, row.build] = row.users
        except (OSError, StreammetricsError) as error:
            unread.append(f"exposure.path: {path}: {error}{_HELD}")
    rows = sorted((since, build, users) for (since, build), users in found.items())
    return ExposureRows(rows, bad_lines, unread, is_whole and not unread)


def _file_rows(path: Path) -> Iterator[Exposure | str | None]:
    """The rows of a file, sentences for its bad lines, and None if it ends within a line."""
    try:
        # It may be a link.
        with held(Path(os.path.realpath(path))) as lying:
            yield from _rows(path, lying)
    except InputOutputError:
        raise ConfigError("is no regular file") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}") from None


def _rows(path: Path, lying: Path) -> Iterator[Exposure | str | None]:
    snapshot, found = Snapshot(lying), lying.stat()
    if kind := binary_kind(snapshot.beginning):
        raise ConfigError(f"is {kind}; it must be a CSV of since, build, users")
    file = SourceFile(_SOURCE, path, "csv", None, found.st_size, found.st_mtime_ns)
    is_over = file.is_over(datetime.now(UTC).replace(tzinfo=None))
    stop = snapshot.size if is_over else snapshot.last_line_end(0)
    data = snapshot.read(0, stop)
    head = delimited.sniff(file, snapshot)
    at = places(file, head.fields)
    has_header = is_over or snapshot.count_lines(0, stop) > head.lead
    if stop < snapshot.size or not has_header:
        yield None
    if not has_header:
        return
    if missing := sorted(name for role, name in _NAMES.items() if role not in at):
        raise ConfigError(f"has no column {' and '.join(missing)}; it must be a CSV of since, build, users")
    text = b"".join(plain([data], snapshot.codec, head.delimiter, head.lead + 1)).decode()
    for number, line in enumerate(text.split("\n"), start=head.lead + 2):
        if not line.strip("\0"):
            continue
        try:
            row = _fields(line, head)
            if len(named := places(file, row)) == len(_NAMES):
                at = named
            else:
                yield _row(row, at)
        except ValueError as error:
            problem = _ALLOWED if isinstance(error, ValidationError) else error
            yield (
                f"line {number} is left out: {problem}; "
                "since is a time such as 2026-11-23T06:00, in UTC where it has no offset, users a number"
            )


def _fields(line: str, head: Head) -> list[str]:
    text, _, mark = line.partition("\0")
    if reason := mark[2:]:
        raise ValueError(reason)
    row = delimited.fields(text, head.delimiter, is_spaced=head.is_spaced, is_strict=True)
    while len(row) > len(head.fields) and not row[-1]:
        row.pop()
    if len(row) != len(head.fields):
        raise ValueError(f"expected {len(head.fields)} fields, found {len(row)}")
    return [field.strip(" ") for field in row]


def _row(row: Sequence[str], at: Mapping[str, int]) -> Exposure:
    users = row[at["code"]]
    if _THOUSANDS.fullmatch(users):
        raise ValueError(f"{users} may be a fraction or thousands: write digits alone")
    since = datetime.fromisoformat(row[at["ts"]]) if row[at["ts"]] else None
    return Exposure(build=row[at["build"]], users=float(users), since=since)
