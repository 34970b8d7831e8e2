"""Relations of a slice on a Spark cluster, each written once as Parquet.

Spark repeats the text of a common table expression wherever it is read, so one query of all relations takes
exponentially long. Each relation is therefore written to files before the next one reads it; files survive a lost
worker.
Tables of the store that a text reads are small, and are sent to the cluster.
"""

import logging
import re
import shutil
import socket
import sys
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from streammetrics.config import EngineSettings
from streammetrics.engine import dialect
from streammetrics.errors import ConfigError, InputOutputError
from streammetrics.store import arrow, views
from streammetrics.store.views import Slice

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_COUNTERS = "counters"
_CONNECT_SECONDS = 10
_RETRIES = 5
"""About 20 seconds: a driver that is away for longer has lost the session. By default the client tries ten minutes."""
_PORTION_ROWS = 200_000
"""Rows within a plan stay on the driver's heap as long as that plan, and every plan that reads it."""
_BROADCAST = "1m"
"""Relations take a hundred times more memory than their files: Spark's default of 10 MB would fill the driver."""
_RENAMES = re.compile(r"select [\w, *]+ from \w+")
_TABLES = "select distinct table_name from duckdb_tables() where table_name <> 'events'"


class UnreadableFileError(InputOutputError):
    """The cluster answers, but cannot read a file."""


class SparkEngine:
    """A relation is a temporary view of files in `<warehouse>/scratch`; each engine has its own folder there."""

    def __init__(self, settings: EngineSettings, connection: Connection, piece: Slice, is_final: bool) -> None:
        self._connection, self._piece, self._is_final = connection, piece, is_final
        self._session = session(str(settings.url))
        self._scratch = f"{settings.warehouse}/scratch/{uuid.uuid4().hex}"
        self._made: dict[object, str] = {}
        self._shown: dict[str, str] = {}
        self._sent: set[str] = set()
        self._filled: set[str] = set()
        self._tables: set[str] = set()

    def fill(self, name: str, text: str, bases: Mapping[str, str], parameters: Mapping[str, int] | None = None) -> None:
        with self._connection.begin():
            self._tables = set(self._connection.exec_driver_sql(_TABLES).scalars())
        keys: dict[str, object] = {}
        for relation, inner in views.parts(text, self._piece, is_final=self._is_final, **bases).items():
            if relation in views.relations():
                keys[relation] = self._materialise(relation, inner, keys, {})
            elif relation in self._tables - {_COUNTERS}:
                self._send(relation, inner)
        self._materialise(name, text, keys, parameters or {}, is_anew=True)
        self._filled.add(name)

    def hand_over(self, name: str) -> None:
        with named(name):
            found = self._session.table(name).toArrow()
        with self._connection.begin():
            arrow.put(self._connection, name, found)

    def close(self) -> None:
        # On an object store a lifecycle rule removes old files of scratch/: see docs/spark.md.
        shutil.rmtree(Path(self._scratch), ignore_errors=True)

    def _materialise(
        self, name: str, text: str, keys: Mapping[str, object], parameters: Mapping[str, int], *, is_anew: bool = False
    ) -> object:
        """Make a view of the files of a relation; skipped if its text and everything that it reads are unchanged."""
        tree = dialect.parsed(text)
        read = dialect.tables(tree)
        key = (text, tuple((other, keys[other]) for other in sorted(read & keys.keys())))
        path = None if is_anew else self._made.get((name, key))
        if path is None:
            for table in sorted(read & self._tables - self._filled - self._sent):
                self._send(table, views.counters_of(self._piece) if table == _COUNTERS else f"select * from {table}")  # noqa: S608
            path = f"{self._scratch}/{name}-{len(self._made)}"
            with named(name):
                found = self._session.sql(dialect.translated(tree, parameters))
                if _RENAMES.fullmatch(text):
                    found.createOrReplaceTempView(name)
                    self._shown.pop(name, None)
                    return key
                found.write.parquet(path)
            self._made[name, key] = path
        if self._shown.get(name) != path:
            self._session.read.parquet(path).createOrReplaceTempView(name)
            self._shown[name] = path
        return key

    def _send(self, name: str, select: str) -> None:
        with self._connection.begin():
            found = arrow.fetched(self._connection, select)
        with named(name):
            self._placed(name, found).createOrReplaceTempView(name)
        self._sent.add(name)

    def _placed(self, name: str, table: Any) -> "DataFrame":
        """Send rows to the cluster: few as part of the plan, many as files, one portion at a time."""
        if table.num_rows <= _PORTION_ROWS:
            return frame(self._session, table)
        path = f"{self._scratch}/{name}"
        for first in range(0, table.num_rows, _PORTION_ROWS):
            frame(self._session, table.slice(first, _PORTION_ROWS)).write.mode("append").parquet(path)
        return self._session.read.parquet(path)


@contextmanager
def named(work: str) -> Iterator[None]:
    """Raise errors of the cluster as errors of this program, with what it was computing and without the Java stack."""
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        reason = str(error).split("\n\nJVM stacktrace")[0]
        if "StatusCode.UNAVAILABLE" in reason:
            raise InputOutputError(f"the cluster no longer answers; it was at {work}") from None
        kind = UnreadableFileError if "FAILED_READ_FILE" in reason else InputOutputError
        raise kind(f"the cluster failed at {work}: {reason[:500]}") from None


def frame(session: "SparkSession", table: Any) -> "DataFrame":
    """Send a `pyarrow.Table` to the cluster; an empty one keeps its columns."""
    from pyspark.sql.pandas.types import from_arrow_schema

    if table.num_rows:
        return session.createDataFrame(table)
    return session.createDataFrame([], from_arrow_schema(table.schema, prefer_timestamp_ntz=True))


@cache
def session(url: str) -> "SparkSession":
    """The session of this process on a Spark Connect server (`sc://host:port`).

    Raises:
        ConfigError: the Spark client is not installed.
        InputOutputError: the server does not answer.
    """
    # See runtime/process: the Spark client needs it.
    if sys.modules.get("pandas", sys) is None:
        del sys.modules["pandas"]
    # The client would print each failed statement with its Java stack; the error has what is needed.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    # The client also warns of failures that `named` turns into errors.
    warnings.filterwarnings("ignore", message=re.escape("[RETRIES_EXCEEDED]"))
    with warnings.catch_warnings():
        # It warns that pandas is newer than what it was tested with; pandas is not used here.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise ConfigError(dialect.NEEDS_CLIENT) from None
        try:
            # By default the client tries for ten minutes.
            address = urlsplit(url)
            socket.create_connection((address.hostname, address.port or 15002), _CONNECT_SECONDS).close()
            found = SparkSession.builder.remote(url).getOrCreate()
            from pyspark.sql.connect.client.retries import DefaultPolicy

            found.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
            found.conf.set("spark.sql.session.timeZone", "UTC")
            found.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
            found.conf.set("spark.sql.autoBroadcastJoinThreshold", _BROADCAST)
        except Exception as error:
            reason = str(error)[:200]
            raise InputOutputError(f"[engine] url = {url!r}: the cluster does not answer: {reason}") from None
    return found
