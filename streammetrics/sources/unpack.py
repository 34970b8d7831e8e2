"""Compressed files as plain ones: unpacked first, so that a damaged one is found out before any record counts."""

import gzip
import shutil
import zlib
from pathlib import Path
from typing import BinaryIO

from streammetrics.errors import DamagedInputError
from streammetrics.sources.files import SourceFile

# A zstd block of 4 bytes can stand for 128 KiB: small portions bound the memory that a hostile file takes.
_ZSTD_PORTION = 1 << 14
_COPY_PORTION = 1 << 20


def unpack(file: SourceFile, target: Path) -> Path:
    """Write the content of a compressed file to `target`; return where the content lies: a plain file is its own.

    Raises:
        DamagedInputError: the file is truncated, damaged, or not compressed at all.
    """
    if file.compression is None:
        return file.path
    with file.path.open("rb") as packed, target.open("wb") as plain:
        try:
            if file.compression == "gzip":
                with gzip.open(packed) as members:
                    shutil.copyfileobj(members, plain, _COPY_PORTION)
            else:
                _unpack_zstd(packed, plain)
        except (EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
            raise DamagedInputError(
                f"{file.path}: is damaged or not a whole {file.compression} file, nothing of it was loaded: {error}"
            ) from None
    return target


def _unpack_zstd(packed: BinaryIO, plain: BinaryIO) -> None:
    """All frames, one after the other; the library's own stream reader takes a truncated frame for a whole one."""
    import zstandard

    frame = None
    try:
        while portion := packed.read(_ZSTD_PORTION):
            while portion:
                if frame is None or frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                plain.write(frame.decompress(portion))
                portion = frame.unused_data
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
    if frame is None or not frame.eof:
        raise ValueError("the last frame is cut off")
