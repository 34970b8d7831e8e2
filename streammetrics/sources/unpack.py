"""Unpacks compressed files before they are read, so that damage is found before any record is loaded."""

import gzip
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from streammetrics.errors import DamagedInputError
from streammetrics.sources.discovery import SourceFile
from streammetrics.sources.open_once import held

# A zstd block of 4 bytes can expand to 128 KiB: small portions bound the memory for a hostile file.
_ZSTD_PORTION = 1 << 14
_COPY_PORTION = 1 << 20
_ZSTD_HEADER = 18

LARGEST_WINDOW = 1 << 28
"""Bytes: the largest window of a zstd frame with more content than that, because a window is held in memory."""


@contextmanager
def unpack(file: SourceFile, scratch: Path, name: str) -> Iterator[Path]:
    """The path of a file's content; a compressed file is unpacked to this name in `scratch`.

    Raises:
        InputOutputError: it is no longer a regular file, or is behind a link.
        DamagedInputError: the file is truncated, damaged, or not compressed at all.
    """
    with held(file.path, file.base) as path:
        if file.compression is not None:
            target = scratch / name
            _write(file, path, target)
            path = target
        yield path


def _write(file: SourceFile, path: Path, target: Path) -> None:
    with path.open("rb") as packed, target.open("wb") as plain:
        try:
            if file.compression == "gzip":
                with gzip.open(packed) as members:
                    shutil.copyfileobj(members, plain, _COPY_PORTION)
            else:
                _unpack_zstd(file.path, packed, plain)
        except (EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
            raise DamagedInputError(
                f"{file.path}: is damaged or not a whole {file.compression} file, nothing of it was loaded: {error}"
            ) from None


def _unpack_zstd(path: Path, packed: BinaryIO, plain: BinaryIO) -> None:
    """Unpack all frames in order; the library's own stream reader accepts a truncated frame as complete."""
    import zstandard

    frame, window, start = None, 0, 0
    try:
        while portion := packed.read(_ZSTD_PORTION):
            while portion:
                if frame is None or frame.eof:
                    if len(portion) < _ZSTD_HEADER:
                        portion += packed.read(_ZSTD_HEADER)
                    window, start = zstandard.get_frame_parameters(portion).window_size, plain.tell()
                    most = 1 << zstandard.WINDOWLOG_MAX
                    frame = zstandard.ZstdDecompressor(max_window_size=most).decompressobj()
                plain.write(frame.decompress(portion))
                portion = frame.unused_data
                if window > LARGEST_WINDOW and plain.tell() - start > LARGEST_WINDOW:
                    raise DamagedInputError(
                        f"{path}: needs a window of {window >> 20:,} MiB, more than {LARGEST_WINDOW >> 20} MiB, and "
                        "holds more than that: compress it without --long; nothing of it was loaded"
                    )
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
    if frame is None or not frame.eof:
        raise ValueError("the last frame is cut off")
