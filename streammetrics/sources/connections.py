"""How a database is reached, without anything secret getting out.

Messages of drivers may hold the URL or the password: they leave this module only through `_scrubbed`.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from streammetrics.config import Config, Source
from streammetrics.errors import ConfigError, InputOutputError, StreammetricsError

CONNECT_SECONDS = 10
"""How long a server may take to answer: the store is held meanwhile."""

_SHOWN_CHARACTERS = 300

_WITH_TIMEOUT = {"psycopg", "psycopg2", "pymysql", "mysqldb", "mariadbconnector"}
_PACKAGES = {"psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}

_SECRET_KEY = re.compile("pass|pwd|secret|token|key|odbc_connect", re.IGNORECASE)
_SECRET_PAIR = re.compile(r"((?:pass\w*|pwd|secret|token)\s*=\s*)[^\s;&]+", re.IGNORECASE)


class Unreadable(str):
    """A value that Python's types do not hold, such as the time `infinity`, as the server writes it."""

    __slots__ = ()


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
    url = make_url(source.url.get_secret_value())
    if source.password_env is not None:
        if source.password_env not in os.environ:
            raise ConfigError(f"[[source]] {source.name!r}: {source.password_env} is not set in the environment")
        url = url.set(password=os.environ[source.password_env])
    if source.password_file is not None:
        path = config.resolve(source.password_file)
        try:
            url = url.set(password=path.read_text("utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not text"
            raise InputOutputError(f"[[source]] {source.name!r}: {path}: cannot be read: {reason}") from None
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith((":", "file:")):
        path = config.resolve(url.database).absolute()
        if not path.is_file():
            raise InputOutputError(f"[[source]] {source.name!r}: {path}: there is no such database")
        url = url.set(database=str(path))
    return url


def place(source: Source, url: URL) -> Path:
    """A name for what is read. Parameters of the URL are left out, for they may be passwords, too."""
    bare = URL.create(url.drivername, url.username, host=url.host, port=url.port, database=url.database)
    return Path(bare.render_as_string().replace("://", ":", 1) + (f"#{source.table}" if source.table else ""))


def _engine(url: URL) -> Engine:
    has_timeout = url.get_driver_name() in _WITH_TIMEOUT and "connect_timeout" not in url.query
    arguments = {"connect_timeout": CONNECT_SECONDS} if has_timeout else {}
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)

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
    try:
        yield
    except StreammetricsError:
        raise
    except ImportError as error:
        package = _PACKAGES.get(error.name or "", error.name or "of the driver")
        raise ConfigError(f"{place(source, url)}: needs a Python package: pip install {package!r}") from None
    except Exception as error:
        message = str(error.orig if isinstance(error, DBAPIError) else error)
        raise InputOutputError(f"{place(source, url)}: cannot be read: {_scrubbed(message, url)}") from None


def _scrubbed(message: str, url: URL) -> str:
    """A message of a driver in one line, without the password, however it is written."""
    query = [value for key, values in url.normalized_query.items() if _SECRET_KEY.search(key) for value in values]
    for secret in filter(None, (url.password, *query)):
        for written in (secret, quote(secret), quote_plus(secret), repr(secret)[1:-1]):
            message = message.replace(written, "***")
    return _SECRET_PAIR.sub(r"\1***", " ".join(message.split()))[:_SHOWN_CHARACTERS]
