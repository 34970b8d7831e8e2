"""Checks of a file before it is read. Errors say which setting to change."""

from streammetrics.errors import ConfigError
from streammetrics.sources import times
from streammetrics.sources.discovery import SourceFile

_BINARY = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh91AY&SY": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "a zip archive",
    b"PAR1\x15": "Parquet",
    b"SQLite format 3\0": "an SQLite database",
}


def binary_kind(beginning: bytes) -> str | None:
    """The kind of a file that is no text, by its first bytes; None if unknown."""
    return next((kind for signature, kind in _BINARY.items() if beginning.startswith(signature)), None)


def require_text(file: SourceFile, beginning: bytes) -> None:
    """Refuse a compressed file, Parquet or database that is configured or named as text."""
    kind, where = binary_kind(beginning), f"[[source]] {file.source.name!r}"
    if kind is None:
        return
    advice = {
        "gzip": "unpack it, or let its name end in .gz",
        "zstd": "unpack it, or let its name end in .zst",
        "Parquet": f'let its name end in .parquet, or set format = "parquet" of {where}',
        "an SQLite database": "give it a [[source]] with url and table",
    }
    raise ConfigError(f"{file.path}: is {kind}, no text: {advice.get(kind, 'unpack it, or pack it as .gz or .zst')}")


def require_date(file: SourceFile, first_time: str) -> None:
    """Refuse times of day without a date."""
    if not times.is_time_of_day(first_time) or file.day() is not None or file.source.time_format is not None:
        return
    where = f"[[source]] {file.source.name!r}"
    if file.source.date == "name":
        raise ConfigError(
            f'{file.path}: has times of day, but date = "name" of {where} finds no YYYY-MM-DD or YYYYMMDD in its name'
        )
    raise ConfigError(
        f"{file.path}: the first time is {first_time.strip()}, a time of day; set date of {where} "
        'to the day it belongs to, such as date = "2026-11-23", or to "name" where the file\'s name has it; where '
        'another column has it, name both: columns = { ts = ["date", "time"] }'
    )
