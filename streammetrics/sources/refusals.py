"""What runs refused and why: the table `refused`.

A row stands until a run has read its path, the file is gone, or the settings of its source are others.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from streammetrics.config import Config, Source
from streammetrics.sources.discovery import UNCONFIGURED
from streammetrics.sources.ledger import settings_of

_ALL = "select path, source, settings, reason from refused order by refused_at, path"

_RECORD = "insert into refused values ($path, $source, $settings, $reason, $refused_at)"

_FORGET = "delete from refused where path in (select unnest($paths))"


def record(
    connection: Connection, path: Path | str, source: Source, settings: str, reason: str, refused_at: datetime
) -> None:
    """In the caller's transaction; what was recorded of the path before is replaced."""
    connection.exec_driver_sql(_FORGET, {"paths": [str(path)]})
    row = {"path": str(path), "source": source.name, "settings": settings, "reason": reason, "refused_at": refused_at}
    connection.exec_driver_sql(_RECORD, row)


def standing(connection: Connection, config: Config) -> dict[Path, str]:
    """The reasons that still stand, by path (of a database: by `place_of`), the oldest first."""
    settings = {source.name: settings_of(config, source) for source in config.source or (UNCONFIGURED,)}
    return {
        Path(path): reason
        for path, source, refused_with, reason in connection.exec_driver_sql(_ALL)
        if settings.get(source) == refused_with and not _is_gone(Path(path))
    }


def place_of(source: Source) -> Path:
    """What stands for a database: its URL may change with what is mended, the name of its source does not."""
    return Path(f"[[source]] {source.name!r}")


def _is_gone(path: Path) -> bool:
    return path.is_absolute() and not os.path.lexists(path)


class Refusals:
    """What is known at the beginning of a run, brought up to date by what becomes of each path."""

    def __init__(self, connection: Connection, config: Config) -> None:
        self._connection, self._config = connection, config
        with connection.begin():
            rows = connection.exec_driver_sql(_ALL)
            self._known = {Path(path): (settings, reason) for path, _, settings, reason in rows}
            self._forget(filter(_is_gone, self._known))

    def refuse(self, path: Path, source: Source, reason: str, now: datetime) -> None:
        """The path, or database, cannot be read, and nothing of it was committed."""
        settings = settings_of(self._config, source)
        if self._known.get(path) == (settings, reason):
            return
        # On a full disk this cannot be stored either, and the next run tries the file again.
        with suppress(DBAPIError), self._connection.begin():
            record(self._connection, path, source, settings, reason, now)

    def settle(self, path: Path) -> None:
        """It was read."""
        if path in self._known:
            with suppress(DBAPIError), self._connection.begin():
                self._forget([path])

    def _forget(self, paths: Iterable[Path]) -> None:
        if gone := list(map(str, paths)):
            self._connection.exec_driver_sql(_FORGET, {"paths": gone})
