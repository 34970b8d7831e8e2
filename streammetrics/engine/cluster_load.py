"""Reads files on a Spark cluster: writes records into its warehouse, and returns what the store needs.

A load reads its files once and writes `<warehouse>/events/load=<load>`, Parquet by day: the records, and the text of
lines that need a closer look (`day` is NULL). Everything else is computed from there. A load counts only once the table
`loads` of the store names it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from streammetrics.config import EngineSettings
from streammetrics.engine import dialect
from streammetrics.engine.cluster_files import ClusterFile, literal, rows_of, shown
from streammetrics.engine.spark import frame, named, session
from streammetrics.store.statements import statement

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

ROLES = ("ts", "clock", "build", "code", "stratum", "client")

_TEXTS = {"string", "tinyint", "smallint", "int", "bigint"}
_TIMES = _TEXTS | {"timestamp", "timestamp_ntz"}

_WRITERS = "40"
"""Up to this many days are written at once; with more, Spark sorts records by day first."""


class Load:
    """A load of files; `place` is the position of a file among them."""

    def __init__(
        self,
        settings: EngineSettings,
        load: str,
        files: Sequence[ClusterFile],
        columns: Mapping[str, str] | None,
    ) -> None:
        """`columns`: of Parquet files, their names by role."""
        self._files, self._columns, self._shown = files, columns, shown(files)
        self._session = session(str(settings.url))
        self._session.conf.set("spark.sql.maxConcurrentOutputFileWriters", _WRITERS)
        self._path = {name: f"{settings.warehouse}/{name}/load={load}" for name in ("events", "counters")}

    def read(self, text: str, parameters: Mapping[str, object]) -> None:
        """Read lines, and write the result of `text`, a SELECT over `lines`; see sql/jobs/cluster_records.sql."""
        with named(self._shown):
            lines = self._lines() if self._columns is None else self._rows(self._columns)
            lines.createOrReplaceTempView("lines")
            found = self._session.sql(dialect.translated(dialect.parsed(text), parameters))
            found.write.partitionBy("day").parquet(self._path["events"])

    def _lines(self) -> "DataFrame":
        from pyspark.sql import functions as f

        lines = self._session.read.text([literal(file.path) for file in self._files]).select(
            f.col("_metadata.file_path").alias("uri"),
            f.col("_metadata.file_block_start").alias("block"),
            f.monotonically_increasing_id().alias("id"),
            f.col("value").alias("text"),
            f.is_valid_utf8("value").alias("is_utf8"),
        )
        return self._placed(lines)

    def _rows(self, columns: Mapping[str, str]) -> "DataFrame":
        from pyspark.sql import functions as f

        found = self._session.read.parquet(*(literal(file.path) for file in self._files))
        types = dict(found.dtypes)

        def shown(role: str) -> "Column":
            name = columns.get(role)
            is_plain = name is not None and types[name] in (_TIMES if role == "ts" else _TEXTS)
            return (f.col(f"`{name}`") if is_plain else f.lit(None)).cast("string").alias(role)

        rows = found.select(
            f.col("_metadata.file_path").alias("uri"),
            f.col("_metadata.file_block_start").alias("block"),
            f.col("_metadata.row_index").alias("id"),
            f.to_json(f.struct(*(f.col(f"`{name}`") for name in dict.fromkeys(columns.values())))).alias("text"),
            f.lit(True).alias("is_utf8"),
            *(shown(role) for role in ("ts", "build", "code", "client")),
        )
        return self._placed(rows)

    def _placed(self, lines: "DataFrame") -> "DataFrame":
        import pyarrow as pa
        from pyspark.sql import functions as f

        uris = pa.table({"uri": [file.uri for file in self._files], "place": range(len(self._files))})
        return lines.join(f.broadcast(frame(self._session, uris)), "uri")

    def blocks(self) -> list[tuple[Any, ...]]:
        """For each part of a file: place, block (its first byte), lines, first id, records, their first and last time,
        and the bytes of the lines that need a closer look.
        """
        from pyspark.sql import functions as f

        found = self._events().groupBy("place", "block")
        other_bytes = f.coalesce(f.sum(f.octet_length("text")), f.lit(0))
        columns = (f.count("*"), f.min("id"), f.count("ts"), f.min("ts"), f.max("ts"), other_bytes)
        with named(f"records of {self._shown}"):
            return rows_of(found.agg(*columns).orderBy("place", "block").toArrow())

    def others(self) -> list[tuple[Any, ...]]:
        """Lines that need a closer look: place, block, id and bytes, in order."""
        from pyspark.sql import functions as f

        with named(f"lines that need a closer look of {self._shown}"):
            found = self._events().where("day is null").orderBy("place", "block", "id")
            return rows_of(found.select("place", "block", "id", f.col("text").cast("binary")).toArrow())

    def other_rows(self) -> Any:
        """Rows of Parquet files that need a closer look.

        Returns:
            A `pyarrow.Table`: place, id (from 0), ts, clock, build, code, stratum and client, with the types of the
            files; a column that the files lack is empty.
        """
        from pyspark.sql import functions as f

        names = self._columns or {}
        with named(f"rows that need a closer look of {self._shown}"):
            rows = self._session.read.parquet(*(literal(file.path) for file in self._files)).select(
                f.col("_metadata.file_path").alias("uri"),
                f.col("_metadata.row_index").alias("id"),
                *((f.col(f"`{names[role]}`") if role in names else f.lit("")).alias(role) for role in ROLES),
            )
            keys = self._events().where("day is null").select("place", "id")
            return self._placed(rows).join(f.broadcast(keys), ["place", "id"]).drop("uri").toArrow()

    def count(self, places: Iterable[int]) -> dict[date, int]:
        """Count the records by second, build and code, and write the counters beside them.

        Returns:
            The number of counters of each day.
        """
        from pyspark.sql import functions as f

        second = f.date_trunc("second", "ts").cast("timestamp_ntz").alias("second")
        with named(f"counters of {self._shown}"):
            records = self._events().where("day is not null").where(f.col("place").isin(list(places)))
            counted = records.groupBy("day", "place", second, "build", "code").agg(f.count("*").alias("errors"))
            counted.write.partitionBy("day").parquet(self._path["counters"])
            return dict(rows_of(self._counters().groupBy("day").count().toArrow()))

    def counters(self, day: date, first: datetime, until: datetime) -> Any:
        """The counters of a part of a day, as a `pyarrow.Table`: place, second, build, code, errors.

        Spark's driver holds a whole result in memory, so results must be small.
        """
        with named(f"counters of {self._shown}"):
            found = self._counters().where(f"day = date '{day}' and second >= '{first}' and second < '{until}'")
            return found.select("place", "second", "build", "code", "errors").toArrow()

    def _counters(self) -> "DataFrame":
        return self._session.read.schema(_COUNTERS).parquet(self._path["counters"])

    def _events(self) -> "DataFrame":
        return self._session.read.schema(_EVENTS).parquet(self._path["events"])


_COUNTERS = "place long, second timestamp_ntz, build string, code string, errors long, day date"

_EVENTS = (
    "place long, block long, id long, ts timestamp_ntz, build string, code string, client string, text string, day date"
)


def records_of(kind: str) -> str:
    """The SELECT that turns the lines, or rows, of files of a format into records."""
    candidates = {
        "jsonl": statement("jobs/cluster_values"),
        "parquet": statement("jobs/cluster_rows"),
    }.get(kind, statement("jobs/cluster_fields"))
    records = statement("jobs/cluster_records")
    return f"with candidates as (\n{candidates}\n)\n\nselect * from (\n{records}\n)"
