"""A store that reads a database, and what it then holds."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from streammetrics.config import Config, Source, StoreSettings
from streammetrics.ingest import databases
from streammetrics.ingest.outcome import FileOutcome
from tests.streams import clear

NOW = datetime(2026, 11, 23, 12)


@dataclass
class Reader:
    """A source named `clients`, and an empty store."""

    connection: Connection
    folder: Path
    settings: dict[str, Any]
    now: datetime = NOW
    progress: list[tuple[float, float]] = field(default_factory=list)

    def ingest(self, *others: dict[str, Any], **settings: Any) -> FileOutcome:
        """Read what is new; the outcome of the source, or of the last where there are others."""
        return self.outcomes(*others, **settings)[-1]

    def outcomes(self, *others: dict[str, Any], **settings: Any) -> list[FileOutcome]:
        own = {"name": "clients", "cursor": "id", **self.settings, **settings}
        config = Config(
            store=StoreSettings(path="s.duckdb"),
            source=tuple(Source.model_validate(found) for found in (*others, own)),
            base=self.folder,
        )
        return list(
            databases.ingest(self.connection, config, None, lambda: self.now, lambda *done: self.progress.append(done))
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.begin():
            return [tuple(row) for row in self.connection.exec_driver_sql(sql)]

    def counted(self) -> Counter[str]:
        """How often each code was counted; ledger, events and counters are held against each other."""
        events = Counter(dict(self.rows("select code, count(*) from events group by code")))
        assert events == Counter(dict(self.rows("select code, sum(errors)::bigint from counters group by code")))
        ledger = "select sum(records), sum(rejected), sum(range_end - range_start - records - rejected) from batches"
        counted = [int(number or 0) for number in self.rows(ledger)[0]]
        assert counted == [events.total(), self.rows("select count(*) from rejects")[0][0], 0]
        return events

    def rejects(self) -> list[tuple[int, str, str]]:
        return [
            (line, reason, content)
            for line, reason, content in self.rows("select line, reason, content from rejects order by batch_id, line")
        ]


def empty(connection: Connection) -> None:
    """Make a store as good as new."""
    clear(connection)
    with connection.begin():
        for table in ("rejects", "cursor_marks", "cursor_rows", "unloaded"):
            connection.exec_driver_sql(f"delete from {table}")


class Sqlite:
    """A database of one table, `errors`; `at` is a time of the table's clock, in seconds after 10:00."""

    def __init__(self, path: Path, columns: str = "id integer primary key, ts, build, code") -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.run(f"create table errors ({columns})")

    def run(self, sql: str, rows: Iterable[tuple[Any, ...]] = ((),)) -> None:
        connection = sqlite3.connect(self.path)
        connection.executemany(sql, rows)
        connection.commit()
        connection.close()

    def add(self, *ids: int, code: Callable[[int], Any] = str) -> None:
        """Rows with these ids; the code is the id, unless given otherwise."""
        rows = [(number, moment(number), "5.9", code(number)) for number in ids]
        self.run("insert into errors (id, ts, build, code) values (?, ?, ?, ?)", rows)


def moment(seconds: float) -> str:
    """A time after 10:00 as text."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"2026-11-23 {10 + int(hours):02}:{int(minutes):02}:{rest:09.6f}"
