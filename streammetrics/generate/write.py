"""A stream as a CSV file, and its truth as JSON beside it."""

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streammetrics.errors import InputOutputError, UsageError
from streammetrics.generate.sample import Stream
from streammetrics.generate.truth import truth

_SUFFIXES = (".csv", ".csv.gz")
_TIME_FORMATS = {0: "%Y-%m-%d %H:%M:%S", 6: "%Y-%m-%d %H:%M:%S.%f"}


def write(stream: Stream, path: Path) -> None:
    """Write `path` with the header ts,build,code and `truth_path(path)`; each appears whole or not at all.

    Raises:
        UsageError: the suffix is neither .csv nor .csv.gz.
        InputOutputError: a file cannot be written.
    """
    truth_file = truth_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The truth is renamed first: where records are, their truth is.
        with _whole(path) as records, _whole(truth_file) as labels:
            _write_csv(stream, records)
            if path.suffix == ".gz":
                _compress(records)
            labels.write_text(truth(stream.scenario).model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputOutputError(f"{path}: cannot be written: {error.strerror or error}") from None


def truth_path(path: Path) -> Path:
    """Where the truth of the stream in `path` lies: stream.csv.gz → stream.truth.json."""
    return path.with_name(path.name[: -len(_suffix(path))] + ".truth.json")


def _suffix(path: Path) -> str:
    for suffix in _SUFFIXES:
        if path.name.endswith(suffix) and path.name != suffix:
            return suffix
    raise UsageError(f"{path}: streams are written as FILE.csv or FILE.csv.gz")


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place when the block ends well, and is gone when it does not."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_csv(stream: Stream, path: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.register("stream", {"ts": stream.ts, "build": stream.build, "code": stream.code})
        # Lists begin with 1 in SQL.
        records = connection.sql(
            "select ts, $builds[build + 1] as build, $codes[code + 1] as code from stream",
            params={"builds": list(stream.builds), "codes": list(stream.codes)},
        )
        try:
            records.write_csv(
                str(path),
                header=True,
                compression="none",
                timestamp_format=_TIME_FORMATS[stream.scenario.fraction_digits],
            )
        except duckdb.IOException as error:
            raise OSError(str(error)) from None


def _compress(path: Path) -> None:
    """Replace a file by its gzip, without name and time in it; DuckDB's own compression takes four times as long."""
    packed = path.with_name(f"{path.name}.gz")
    try:
        with (
            path.open("rb") as plain,
            packed.open("wb") as file,
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as target,
        ):
            shutil.copyfileobj(plain, target, 1 << 20)
        packed.replace(path)
    finally:
        packed.unlink(missing_ok=True)
