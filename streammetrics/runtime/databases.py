"""Databases that SQLAlchemy reaches by a URL, without disclosing secrets.

Messages of drivers may contain the URL or the password, so they always pass through `scrubbed`.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from streammetrics.errors import ConfigError, InputOutputError, StreammetricsError

CONNECT_SECONDS = 10
"""How long a server may take to answer; the store is locked meanwhile."""

_SHOWN_CHARACTERS = 300

_WITH_TIMEOUT = {"psycopg", "psycopg2", "pymysql", "mysqldb", "mariadbconnector"}
_PACKAGES = {"psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}

_SECRET_KEY = re.compile("pass|pwd|secret|token|key|odbc_connect", re.IGNORECASE)
_SECRET_PAIR = re.compile(r"((?:pass\w*|pwd|secret|token)\s*=\s*)[^\s;&]+", re.IGNORECASE)


def with_password(url: URL, variable: str | None, file: Path | None, where: str) -> URL:
    """The URL with the password of an environment variable or a file; `where` names the setting in messages.

    Raises:
        ConfigError: the variable is not set.
        InputOutputError: the file cannot be read.
    """
    if variable is not None:
        if variable not in os.environ:
            raise ConfigError(f"{where}: {variable} is not set in the environment")
        url = url.set(password=os.environ[variable])
    if file is not None:
        try:
            url = url.set(password=file.read_text("utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not text"
            raise InputOutputError(f"{where}: {file}: cannot be read: {reason}") from None
    return url


def shown(url: URL) -> str:
    """The URL for people, without its parameters, which may be passwords too."""
    bare = URL.create(url.drivername, url.username, host=url.host, port=url.port, database=url.database)
    return bare.render_as_string().replace("://", ":", 1)


def engine(url: URL) -> Engine:
    """An engine that keeps no connection open, and does not wait long for a server."""
    has_timeout = url.get_driver_name() in _WITH_TIMEOUT and "connect_timeout" not in url.query
    arguments = {"connect_timeout": CONNECT_SECONDS} if has_timeout else {}
    return create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)


@contextmanager
def without_secrets(what: str, url: URL, failed: str = "cannot be read") -> Iterator[None]:
    """Raise errors of SQLAlchemy and drivers as errors of this program, without secrets; `what` names the database.

    Raises:
        ConfigError: there is no driver.
        InputOutputError: anything else.
    """
    try:
        yield
    except StreammetricsError:
        raise
    except ImportError as error:
        package = _PACKAGES.get(error.name or "", error.name or "of the driver")
        raise ConfigError(f"{what}: needs a Python package: pip install {package!r}") from None
    except Exception as error:
        message = str(error.orig if isinstance(error, DBAPIError) else error)
        raise InputOutputError(f"{what}: {failed}: {scrubbed(message, url)}") from None


def scrubbed(message: str, url: URL) -> str:
    """A message of a driver in one line, without the password, however it is written."""
    query = [value for key, values in url.normalized_query.items() if _SECRET_KEY.search(key) for value in values]
    for secret in filter(None, (url.password, *query)):
        for written in (secret, quote(secret), quote_plus(secret), repr(secret)[1:-1]):
            message = message.replace(written, "***")
    return _SECRET_PAIR.sub(r"\1***", " ".join(message.split()))[:_SHOWN_CHARACTERS]
