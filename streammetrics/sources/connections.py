"""How the database of a source is reached, and values of it that Python cannot hold."""

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
    """A value that Python's types do not hold, such as the time `infinity`, as the server writes it."""

    text: str

    def __str__(self) -> str:
        return self.text


@contextmanager
def connect(config: Config, source: Source) -> Iterator[tuple[URL, Connection]]:
    """The URL of a source with its password, and a connection; nothing is ever committed on it.

    Raises:
        ConfigError: there is no driver, or no password where it is to be.
        InputOutputError: the database cannot be reached or read.
    """
    url = _url(config, source)
    with without_secrets(source, url):
        engine = _engine(url)
        connection = engine.connect()
    try:
        yield url, connection
    finally:
        # A connection that broke fails once more.
        with suppress(Exception):
            connection.close()
        engine.dispose()


def _url(config: Config, source: Source) -> URL:
    """Where the database is, with the password, and a path of SQLite that this process can open."""
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
    """A name for what is read."""
    return Path(databases.shown(url) + (f"#{source.table}" if source.table else ""))


def _engine(url: URL) -> Engine:
    engine = databases.engine(url)

    # What these drivers cannot read they would not even hand over, and one such row would end all reading.
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
    """A loader of psycopg that gives what the strict one cannot load as `Unreadable`."""
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
    """What SQLAlchemy and drivers raise as errors of ours, without secrets."""
    with databases.without_secrets(str(place(source, url)), url):
        yield
