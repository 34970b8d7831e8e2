"""Bytes to be read: how they are encoded, and which reader they are for."""

import codecs
import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

# Small enough for the processor's cache.
_PORTION = 1 << 20

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
BYTE_ORDER_MARKS = (codecs.BOM_UTF8, *_UTF16)


@dataclass(frozen=True)
class Content:
    """A file, or a range of whole lines behind its header, in memory (`data`) or at `path`.

    `lines_before`: what is to be added to the number of a line here for its number in the file, below that file's place
    among those that are read together (PLACE_BITS).
    """

    path: Path
    encoding: str
    data: bytes | None = None
    lines_before: int = 0

    def open(self) -> BinaryIO:
        """The bytes, from the first one on.

        Raises:
            OSError: they cannot be read.
        """
        return self.path.open("rb") if self.data is None else BytesIO(self.data)


def codec_of(beginning: bytes) -> str:
    """How text is encoded that begins so, its byte order mark aside."""
    return _UTF16.get(beginning[:2], "utf-8")


def encoding_of(beginning: bytes) -> str:
    """How text is encoded that begins so, its byte order mark included."""
    return "utf-16" if beginning[:2] in _UTF16 else "utf-8-sig"


@dataclass(frozen=True)
class Examined:
    """What there is to know of a file before DuckDB reads it.

    `is_plain`: UTF-8 with one kind of line end, LF or CRLF, without NUL and without blanks beside quotes. Of such text
    DuckDB's reader and Python's make the same fields.
    """

    size: int
    is_plain: bool
    hashing: "Future[str]"

    @property
    def fingerprint(self) -> str:
        """Of all bytes. May have to be waited for: they are hashed while the records are loaded."""
        return self.hashing.result()


def examine(path: Path) -> Examined:
    """Look through a file; its hashing is begun.

    Raises:
        OSError: it cannot be read.
    """
    hasher = ThreadPoolExecutor(max_workers=1)
    hashing = hasher.submit(_fingerprint, path)
    hasher.shutdown(wait=False)
    traits, size = _Traits(), 0
    with path.open("rb") as stream:
        first = portion = stream.read(_PORTION)
        while portion:
            traits.add(portion)
            size += len(portion)
            portion = stream.read(_PORTION)
    return Examined(size, codec_of(first) == "utf-8" and traits.are_plain, hashing)


def _fingerprint(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Traits:
    """Whether DuckDB and Python read the same fields from text, portion by portion."""

    def __init__(self) -> None:
        self._last = b""
        self._has_crlf = self._has_lone_lf = self._has_lone_cr = self._is_odd = False

    def add(self, portion: bytes) -> None:
        # To look for a byte is much quicker than to count it.
        returns, pairs = (portion.count(b"\r") if b"\r" in portion else 0), 0
        if returns or self._last == b"\r":
            pairs = (self._last + portion).count(b"\r\n")
        # A CR at the end of a portion is not alone before the next portion is seen.
        lone = returns + (self._last == b"\r") - pairs - portion.endswith(b"\r")
        self._has_lone_cr |= lone > 0
        self._has_crlf |= pairs > 0
        self._has_lone_lf |= portion.count(b"\n") > pairs if pairs else b"\n" in portion
        if self._last == b'"' or b'"' in portion:
            joined = self._last + portion
            self._is_odd |= b'" ' in joined or b' "' in joined
        self._is_odd |= b"\0" in portion
        self._last = portion[-1:]

    @property
    def are_plain(self) -> bool:
        is_mixed = self._has_lone_cr or self._last == b"\r" or (self._has_crlf and self._has_lone_lf)
        return not is_mixed and not self._is_odd
