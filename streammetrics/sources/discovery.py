"""Finds the files of a source, and reads format and date from their names."""

import glob
import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from itertools import filterfalse, takewhile
from pathlib import Path
from typing import Literal

from streammetrics.config import Config, Source
from streammetrics.errors import ConfigError, InputOutputError, StreammetricsError
from streammetrics.sources import open_once

Format = Literal["csv", "tsv", "jsonl", "parquet"]
Compression = Literal["gzip", "zstd"]

UNCONFIGURED = Source(name="files", path="*")
"""The source of files on the command line if no [[source]] is configured."""

_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
_UNFINISHED = (".tmp", ".part")
# What glob.escape() makes of a wildcard.
_NO_WILDCARD = re.compile(r"\[[*?[]\]")
_DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4})(-?)(\d{2})\2(\d{2})(?!\d)")


def unmatched(source: Source, place: Path) -> str:
    """The message for a pattern that no file matches."""
    hint = "; [ begins a set of letters: write [[] for a [ in a name" if "[" in str(place) else ""
    return f"[[source]] {source.name!r}: no file matches {place}{hint}"


@dataclass(frozen=True)
class SourceFile:
    """A file on disk; `size` (bytes) is that of the stored, perhaps compressed, file.

    `base`: folders below it may not be links. `is_final`: nothing more will be written. `is_spooled`: `after` of the
    source applies to it.
    """

    source: Source
    path: Path
    format: Format
    compression: Compression | None
    size: int
    modified_ns: int
    inode: str = ""
    base: Path | None = None
    is_final: bool = False
    is_spooled: bool = False

    @property
    def is_text(self) -> bool:
        return self.format != "parquet"

    @property
    def can_grow(self) -> bool:
        """Whether lines can be read before the file is complete."""
        return self.is_text and self.compression is None

    def is_over(self, now: datetime) -> bool:
        """Whether to read a last line without a line end, as nobody has written to it for long. `now`: naive UTC."""
        age_seconds = now.replace(tzinfo=UTC).timestamp() - self.modified_ns / 1e9
        is_old = age_seconds >= self.source.last_line_seconds
        return not self.can_grow or is_old or (self.is_final and not self.is_changed())

    def is_changed(self) -> bool:
        """Whether it was written to since it was found."""
        found = self.path.lstat()
        return (found.st_size, found.st_mtime_ns) != (self.size, self.modified_ns)

    def has_lost(self, size: int) -> bool:
        """Whether it is another file now, or is shorter than `size` bytes."""
        found = self.path.lstat()
        return str(found.st_ino) != self.inode or found.st_size < size

    def day(self) -> str | None:
        """The date (YYYY-MM-DD) of times of day; None if neither the source nor the name has one."""
        return day_in(self.path.name) if self.source.date == "name" else self.source.date


def expand(path: Path) -> dict[Path, Path]:
    """Absolute paths that match a path or glob, sorted, each with its `base`: the folder before the first wildcard.

    A glob skips folders, hidden files and names that end in .tmp or .part, which are not (yet) meant to be read. Of
    files behind a link below the base the link stands there, once, unless they are found under their own path as well.
    """
    name = os.path.abspath(path)  # noqa: PTH100 - as Path.absolute(), and without doubled slashes
    # Wildcard characters in the path of the working folder itself are no wildcards.
    pattern = os.path.abspath(Path(glob.escape(str(Path.cwd())), path))  # noqa: PTH100
    fixed = len([*takewhile(_is_fixed, Path(pattern).parent.parts)])
    paths = [Path(name)]
    if not os.path.lexists(name) and glob.has_magic(str(path)):
        found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        paths = [path for path in map(Path, filterfalse(os.path.isdir, found)) if not is_unfinished(path)]
    base = Path(*next(iter(paths), Path(name)).parts[:fixed])
    root = base.resolve()

    @cache
    def link_of(folder: Path) -> Path | None:
        """The first link in a folder's path below the base."""
        return None if folder == base else link_of(folder.parent) or (folder if folder.is_symlink() else None)

    def is_found_anyway(path: Path) -> bool:
        real = path.resolve()
        return real.is_relative_to(root) and base / real.relative_to(root) in links

    links = {path: link_of(path.parent) for path in paths}
    return {link or path: base for path, link in links.items() if link is None or not is_found_anyway(path)}


def _is_fixed(part: str) -> bool:
    return not glob.has_magic(_NO_WILDCARD.sub("", part))


def matching(path: Path, config: Config | None = None) -> dict[Path, Path]:
    """Files that match a path or glob, as written in the settings or on the command line; see `expand`.

    Raises:
        InputOutputError: it contains `..`, which after a link to a folder is another folder than it seems.
        ConfigError: it begins with `~` and a user who does not exist.
    """
    if ".." in path.parts:
        raise InputOutputError(f"{path}: a path with .. in it is refused; write it without")
    return expand(path if config is None else config.pattern(str(path)))


def shown(path: Path) -> str:
    """A path as text that can be stored and printed: bytes that are not UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def describe(
    source: Source, path: Path, base: Path | None = None, *, is_final: bool = False, is_spooled: bool = False
) -> SourceFile:
    """The properties of a file that are known without opening it.

    Raises:
        InputOutputError: there is no such file, its name is not UTF-8, or it is a link, folder, pipe or device.
        ConfigError: neither the name nor `format` shows its format.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputOutputError(f"{shown(path)}: its name is not UTF-8: rename it") from None
    try:
        found = path.lstat()
    except OSError as error:
        raise InputOutputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if stat.S_ISLNK(found.st_mode):
        raise InputOutputError(f"{path}: {open_once.LINK}")
    if stat.S_ISDIR(found.st_mode):
        raise InputOutputError(f"{path}: is a folder; name its files, such as {path}/*")
    if not stat.S_ISREG(found.st_mode):
        raise InputOutputError(f"{path}: {open_once.DEVICE}")
    kind, compression = kind_of(source, path)
    size, modified_ns, inode = found.st_size, found.st_mtime_ns, str(found.st_ino)
    return SourceFile(source, path, kind, compression, size, modified_ns, inode, base, is_final, is_spooled)


def kind_of(source: Source, path: Path) -> tuple[Format, Compression | None]:
    """The format and compression of a file, from its source or its name.

    Raises:
        ConfigError: neither shows it.
    """
    compression = _COMPRESSIONS.get(path.suffix.lower())
    inner = path.with_suffix("") if compression else path
    kind = _FORMATS.get(inner.suffix.lower()) or source.format
    if kind is None:
        raise ConfigError(
            f"{path}: its suffix does not show what is in it; set format of [[source]] {source.name!r} "
            'to "csv", "tsv", "jsonl" or "parquet"'
        )
    return kind, compression


def is_unfinished(path: Path) -> bool:
    """Whether a glob skips it: hidden files, and files that are still being written."""
    return path.name.startswith(".") or path.name.endswith(_UNFINISHED)


def configured(config: Config) -> tuple[list[SourceFile], dict[Path, str]]:
    """The files that an ingest would read, and why it would refuse others."""
    found: dict[Path, SourceFile] = {}
    refused: dict[Path, str] = {}
    for source in config.source:
        # Files that only a cluster can read are found there.
        if source.path is None or "://" in source.path:
            continue
        try:
            matches = matching(Path(source.path), config)
        except StreammetricsError as error:
            refused.setdefault(Path(source.path), str(error))
            continue
        for path, base in matches.items():
            try:
                found.setdefault(path, describe(source, path, base))
            except StreammetricsError as error:
                refused.setdefault(path, str(error))
    return list(found.values()), refused


def day_in(name: str) -> str | None:
    """The date in a file's name (YYYY-MM-DD); None if there is none."""
    for year, _, month, day in _DATE_IN_NAME.findall(name):
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            continue
    return None
