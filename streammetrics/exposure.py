"""How many users each build has from when on: the [[exposure]] entries of config.toml and the files that they name."""

import csv
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path

from pydantic import ValidationError

from streammetrics.config import Config, Exposure
from streammetrics.errors import ConfigError

EVER = datetime(1, 1, 1)  # noqa: DTZ001 - naive means UTC throughout
"""Since when what has no `since` holds."""

COLUMNS = ("since", "build", "users")

_ALLOWED = "a build of 1 to 200 letters, users from 0 to 1e15, and a year from 1 to 9999 in UTC are meant"

ExposureRow = tuple[datetime, str, float]
"""Since when (naive UTC, whole seconds), build, users."""


def exposure_rows(config: Config) -> list[ExposureRow]:
    """All rows, in order of time; of two for one build and second the later one in the configuration counts.

    Raises:
        ConfigError: a file is missing, or a line of it cannot be read.
    """
    found: dict[tuple[datetime, str], float] = {}
    for entry in config.exposure:
        rows = _file_rows(config.resolve(entry.path)) if entry.path is not None else [entry]
        for row in rows:
            if row.build is not None and row.users is not None:
                since = EVER if row.since is None else row.since.replace(microsecond=0)
                found[since, row.build] = row.users
    return sorted((since, build, users) for (since, build), users in found.items())


def _file_rows(path: Path) -> Iterator[Exposure]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"exposure.path: {path}: cannot be read: {error}") from None
    lines = csv.DictReader(StringIO(text, newline=""), strict=True)
    try:
        if missing := sorted(set(COLUMNS) - set(lines.fieldnames or ())):
            raise ConfigError(
                f"exposure.path: {path}: has no column {' and '.join(missing)}; a CSV of {', '.join(COLUMNS)} is meant"
            )
        for values in lines:
            yield _row(values)
    except (csv.Error, TypeError, ValueError) as error:
        problem = _ALLOWED if isinstance(error, ValidationError) else error
        raise ConfigError(
            f"exposure.path: {path}: line {lines.reader.line_num}: {problem}; "
            "since is a time such as 2026-11-23T06:00, in UTC where it has no offset, users a number"
        ) from None


def _row(values: dict[str, str]) -> Exposure:
    since = datetime.fromisoformat(values["since"]) if values["since"] else None
    return Exposure(build=values["build"], users=float(values["users"]), since=since)
