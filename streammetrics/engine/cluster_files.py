"""Files that a Spark cluster can read: lists them, and reads their first lines."""

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streammetrics.config import EngineSettings
from streammetrics.engine.spark import named, session


@dataclass(frozen=True)
class ClusterFile:
    """A file as the cluster lists it. `uri` is its name in `_metadata`; `size` is in bytes."""

    path: str
    uri: str
    size: int
    modified_ns: int

    def exactly_modified_ns(self) -> int:
        """The time of change; read on this machine if the file is mounted, because Spark cuts it to milliseconds."""
        with suppress(OSError):
            found = Path(self.path).stat().st_mtime_ns
            if found // 1_000_000 == self.modified_ns // 1_000_000:
                return found
        return self.modified_ns


def listed(settings: EngineSettings, pattern: str) -> list[ClusterFile]:
    """The files on the cluster that match a glob, sorted by path.

    Raises:
        ConfigError: the Spark client is not installed.
        InputOutputError: the cluster does not answer, or cannot list them.
    """
    files = session(str(settings.url)).read.format("binaryFile")
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as f

    with named(f"the files of {pattern}"):
        try:
            found = files.load(pattern)
            rows = found.select("path", "_metadata.file_path", "length", f.unix_micros("modificationTime")).toArrow()
        except AnalysisException as error:
            if error.getCondition() == "PATH_NOT_FOUND":
                return []
            raise
    described = (ClusterFile(_path(path), uri, size, micros * 1000) for path, uri, size, micros in rows_of(rows))
    return sorted(described, key=lambda file: file.path)


def contents(settings: EngineSettings, files: Sequence[ClusterFile], *, are_texts: bool) -> dict[str, tuple[int, str]]:
    """By `uri`: the number of lines or rows of each file, and a fingerprint of them that ignores their order."""
    from pyspark.sql import functions as f

    reader, paths = session(str(settings.url)).read, [literal(file.path) for file in files]
    found = reader.text(paths) if are_texts else reader.parquet(*paths)
    row = f.col("value") if are_texts else f.to_json(f.struct("*"))
    digest = f.sum(f.xxhash64(row).cast("decimal(20,0)"))
    with named(shown(files)):
        counted = found.groupBy(f.col("_metadata.file_path").alias("uri")).agg(f.count("*"), digest)
        return {uri: (lines, f"{int(total) % (1 << 64):016x}") for uri, lines, total in rows_of(counted.toArrow())}


def shown(files: Sequence[ClusterFile]) -> str:
    """The name of the first file, and how many more there are."""
    return f"{files[0].path} and {len(files) - 1:,} more" if len(files) > 1 else files[0].path


def types(settings: EngineSettings, path: str) -> tuple[tuple[str, str], ...]:
    """The columns of a Parquet file with their types; empty if it cannot be read."""
    from pyspark.errors import PySparkException

    try:
        return tuple(session(str(settings.url)).read.parquet(literal(path)).dtypes)
    except PySparkException:
        return ()


def write_first_rows(settings: EngineSettings, path: str, number: int, target: Path) -> None:
    """Write the first rows of a Parquet file to a local file."""
    import pyarrow.parquet

    with named(path):
        rows = session(str(settings.url)).read.parquet(literal(path)).limit(number).toArrow()
    pyarrow.parquet.write_table(rows, target)


def first_lines(settings: EngineSettings, path: str, number: int) -> list[bytes]:
    """The first lines of a file, without their line ends."""
    from pyspark.sql import functions as f

    with named(path):
        lines = session(str(settings.url)).read.text(literal(path)).where("_metadata.file_block_start = 0")
        return [line for (line,) in rows_of(lines.limit(number).select(f.col("value").cast("binary")).toArrow())]


def remove(settings: EngineSettings, load: str) -> bool:
    """Remove the files of a load that was never committed; returns whether there were any.

    Files that this machine does not mount stay, but nothing reads them.
    """
    paths = [Path(f"{settings.warehouse}/{relation}/load={load}") for relation in ("events", "counters")]
    found = [path for path in paths if path.exists()]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return bool(found)


def rows_of(table: Any) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True)) if table.num_columns else []


def _path(path: str) -> str:
    """A path for people: without the scheme if the folder is mounted."""
    return re.sub("^file:/+", "/", path)


def literal(path: str) -> str:
    """A path in which wildcards are escaped."""
    return re.sub(r"([*?\[\]{}\\])", r"\\\1", path)
