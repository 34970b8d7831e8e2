"""Files put into a store through the real ingest, and what the store then holds."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import zstandard
from sqlalchemy import Connection

from streammetrics.config import Config, Source, StoreSettings
from streammetrics.config.sections import IngestSettings
from streammetrics.ingest.files import ingest
from streammetrics.ingest.outcome import FileOutcome
from tests.streams import empty_store

NOW = datetime(2026, 11, 23, 12)
TABLES = ("batches", "contents", "replaced", "events", "counters", "rejects", "builds", "build_hours", "codes")
THREE = b"ts,build,code\n2026-11-23 10:00:00,5.9,404\n2026-11-23 10:00:00.5,5.10,-17\n2026-11-23 10:00:01,5.10,E_X\n"
THREE_EVENTS = [
    ("2026-11-23 10:00:00", "5.9", "404"),
    ("2026-11-23 10:00:00.500000", "5.10", "-17"),
    ("2026-11-23 10:00:01", "5.10", "E_X"),
]


class Shop:
    """A store in memory and a folder with files."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.connection = connection
        self.folder = folder

    def write(self, name: str, content: bytes) -> Path:
        """A file, compressed where its name says so."""
        path = self.folder / name
        if path.suffix == ".gz":
            content = gzip.compress(content)
        elif path.suffix == ".zst":
            content = zstandard.compress(content)
        path.write_bytes(content)
        return path

    def feed(
        self, *paths: Path, now: datetime = NOW, limit: int = 3600, oldest_days: int = 370_000, **settings: Any
    ) -> list[FileOutcome]:
        """Read `paths`, or the folder where none is named, with these settings of the source."""
        settings = {"name": "feed", "path": str(self.folder / "*"), **settings}
        config = Config(
            store=StoreSettings(path=str(self.folder / "store" / "x.duckdb")),
            source=(Source.model_validate(settings),),
            ingest=IngestSettings(future_limit_seconds=limit, oldest_days=oldest_days),
        )
        return list(ingest(self.connection, config, paths, None, lambda: now))

    def feed_text(self, text: str | bytes, name: str = "errors.csv", **settings: Any) -> FileOutcome:
        """Read one file with this content."""
        (outcome,) = self.feed(self.write(name, text if isinstance(text, bytes) else text.encode()), **settings)
        return outcome

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection.begin():
            return [tuple(row) for row in self.connection.exec_driver_sql(query)]

    def events(self) -> list[tuple[str, str, str]]:
        """Time, build and code of all events, in order of time."""
        return [
            (str(ts), build, code)
            for ts, build, code in self.rows("select ts, build, code from events order by ts, build, code")
        ]

    def rejects(self) -> list[tuple[int, str, str]]:
        """Line, reason and content of all rejects."""
        return [
            (line, reason, content)
            for line, reason, content in self.rows("select line, reason, content from rejects order by batch_id, line")
        ]

    def use_threads(self, threads: int) -> None:
        """As stores on disk have several."""
        self.connection.rollback()
        with self.connection.begin():
            self.connection.exec_driver_sql(f"set threads = {threads}")

    def clear(self) -> None:
        """As good as new."""
        self.connection.rollback()
        with self.connection.begin():
            for table in (*TABLES, "refused", "cursor_marks", "cursor_rows", "pruned", "loads"):
                self.connection.exec_driver_sql(f"delete from {table}")


@contextmanager
def shop_in(folder: Path) -> Iterator[Shop]:
    with empty_store() as connection:
        yield Shop(connection, folder)
