"""Which files a source means, and what their names say about them."""

import glob
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from streammetrics.config import Source
from streammetrics.errors import ConfigError, InputOutputError

Format = Literal["csv", "tsv", "jsonl", "parquet"]
Compression = Literal["gzip", "zstd"]

_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
_UNFINISHED = (".tmp", ".part")
_DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4})(-?)(\d{2})\2(\d{2})(?!\d)")


@dataclass(frozen=True)
class SourceFile:
    """A file as it lies on disk; `size` (bytes) is that of the stored, perhaps compressed, file."""

    source: Source
    path: Path
    format: Format
    compression: Compression | None
    size: int
    modified_ns: int

    def is_changed(self) -> bool:
        """Whether somebody has written to it since it was looked at."""
        found = self.path.stat()
        return (found.st_size, found.st_mtime_ns) != (self.size, self.modified_ns)

    def day(self) -> str | None:
        """The date (YYYY-MM-DD) that times of day belong to; None where the source or the file's name tells none."""
        return _day_in(self.path.name) if self.source.date == "name" else self.source.date


def expand(path: Path) -> Iterator[Path]:
    """Absolute paths that a path or glob stands for, sorted; a glob that matches nothing stands for none.

    A glob passes over folders, hidden files and names that end in .tmp or .part: they are not meant to be read (yet).
    """
    name = os.path.abspath(path)  # noqa: PTH100 - Path.absolute() leaves `..` in, and the ledger knows files by path
    if os.path.lexists(name) or not glob.has_magic(name):
        yield Path(name)
        return
    for found in map(Path, sorted(glob.glob(name, recursive=True))):  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not found.name.startswith(".") and not found.name.endswith(_UNFINISHED) and not found.is_dir():
            yield found


def describe(source: Source, path: Path) -> SourceFile:
    """What is to be known about a file without opening it.

    Raises:
        InputOutputError: there is no such file, or it is a folder, pipe or device.
        ConfigError: neither the name nor `format` tells what is in it.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise InputOutputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if stat.S_ISDIR(found.st_mode):
        raise InputOutputError(f"{path}: is a folder; name its files, such as {path}/*")
    if not stat.S_ISREG(found.st_mode):
        raise InputOutputError(f"{path}: is a pipe, socket or device; only regular files are read")
    compression = _COMPRESSIONS.get(path.suffix.lower())
    inner = path.with_suffix("") if compression else path
    kind = _FORMATS.get(inner.suffix.lower()) or source.format
    if kind is None:
        raise ConfigError(
            f"{path}: its suffix does not say what is in it; set format of [[source]] {source.name!r} "
            'to "csv", "tsv", "jsonl" or "parquet"'
        )
    return SourceFile(source, path, kind, compression, found.st_size, found.st_mtime_ns)


def _day_in(name: str) -> str | None:
    for year, _, month, day in _DATE_IN_NAME.findall(name):
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            continue
    return None
