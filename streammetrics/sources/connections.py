"""Connects to the database of a source; handles values that Python's types cannot represent."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url

from streammetrics.config import Config, Source
from streammetrics.errors import InputOutputError
from streammetrics.runtime import databases


@dataclass(frozen=True)
class Unreadable:
    """A value that Python's types cannot represent, such as the time `infinity`, as the server's text."""

    text: str

    def __str__(self) -> str:
        return self.text


@contextmanager
def connect(config: Config, source: Source) -> Iterator[tuple[URL, Connection]]:
    """The URL of a source with its password, and a connection, on which nothing is ever committed.

    Raises:
        ConfigError: there is no driver, or the password is missing.
        InputOutputError: the database cannot be reached or read.
    """
    url = _url(config, source)
    with without_secrets(source, url):
        engine = _engine(url)
        connection = engine.connect()
    try:
        yield url, connection
    finally:
        # Closing a broken connection fails again.
        with suppress(Exception):
            connection.close()
        engine.dispose()


def _url(config: Config, source: Source) -> URL:
    """The URL of the database with its password, and the file of SQLite if it is one."""
    if source.url is None:
        raise ValueError(f"{source.name}: is no database")
    where = f"[[source]] {source.name!r}"
    file = None if source.password_file is None else config.resolve(source.password_file)
    url = databases.with_password(make_url(source.url.get_secret_value()), source.password_env, file, where)
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith((":", "file:")):
        path = config.resolve(url.database).absolute()
        if not path.is_file():
            raise InputOutputError(f"{where}: {path}: there is no such database")
        url = url.set(database=str(path))
    return url


def place(source: Source, url: URL) -> Path:
    """A name for the table or query."""
    return Path(databases.shown(url) + (f"#{source.table}" if source.table else ""))


def _engine(url: URL) -> Engine:
    engine = databases.engine(url)

    # These drivers raise an error for values that they cannot convert, and one such row would end all reading.
    @event.listens_for(engine, "connect")
    def tolerate(connection: Any, _: Any) -> None:
        if engine.driver == "pysqlite":
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        elif engine.driver == "psycopg":
            for name in ("date", "timestamp", "timestamptz"):
                oid = connection.adapters.types[name].oid
                connection.adapters.register_loader(name, _tolerant(connection.adapters.get_loader(oid, 0)))

    return engine


def _tolerant(strict: Any) -> Any:
    """A loader of psycopg that returns `Unreadable` for values that the strict one cannot load."""
    from psycopg import DataError
    from psycopg.adapt import Loader

    class Tolerant(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._strict = strict(oid, context)

        def load(self, data: Any) -> Any:
            try:
                return self._strict.load(data)
            except DataError:
                return Unreadable(bytes(data).decode())

    return Tolerant


@contextmanager
def without_secrets(source: Source, url: URL) -> Iterator[None]:
    """Raise errors of SQLAlchemy and drivers as errors of this program, without secrets."""
    with databases.without_secrets(str(place(source, url)), url):
        yield
