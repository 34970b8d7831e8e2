"""Bytes to be read: how they are encoded, and whether DuckDB reads them line by line as they are."""

import codecs
import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

# Small enough for the processor's cache.
PORTION_BYTES = 1 << 20

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass
class FileBytes:
    """All bytes of a file, in memory (`data`) or at `path`."""

    path: Path
    data: bytes | None = None

    def open(self) -> BinaryIO:
        """The bytes, from the first one on.

        Raises:
            OSError: they cannot be read.
        """
        return self.path.open("rb") if self.data is None else BytesIO(self.data)

    def open_text(self) -> TextIO:
        """The bytes as text, line ends as they are; bytes that cannot be decoded are left recognisable."""
        stream = self.open()
        is_utf16 = stream.read(2) in _UTF16
        stream.seek(0)
        encoding, errors = ("utf-16", "replace") if is_utf16 else ("utf-8-sig", "surrogateescape")
        return TextIOWrapper(stream, encoding, errors, newline="")


def codec_of(beginning: bytes) -> str:
    """How text is encoded that begins so, its byte order mark aside."""
    return _UTF16.get(beginning[:2], "utf-8")


@dataclass(frozen=True)
class Examined:
    """What there is to know of a file before DuckDB reads it.

    `is_plain`: see streammetrics/sources/plain.py; line ends may be CRLF as well, if all are.
    `lines`: how many there are, one without an end included. `has_escapes`: it has a backslash.
    """

    is_plain: bool
    has_quotes: bool
    has_escapes: bool
    lines: int
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
    traits = _Traits()
    for portion in portions(path):
        traits.add(portion)
    return Examined(traits.are_plain, traits.has_quotes, traits.has_escapes, traits.all_lines, hashing)


def portions(path: Path, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The bytes from one offset to another, some at a time; fewer where the file was cut off meanwhile.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        stream.seek(start)
        left = PORTION_BYTES if stop is None else stop - start
        while left > 0 and (portion := stream.read(min(left, PORTION_BYTES))):
            left -= 0 if stop is None else len(portion)
            yield portion


def _fingerprint(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Traits:
    """Whether a text is plain, portion by portion."""

    def __init__(self) -> None:
        self.lines = 0
        self.has_quotes = self.has_escapes = False
        self._last = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_ascii = self._is_text = True
        self._has_crlf = self._has_lone_lf = self._has_lone_cr = self._is_long = False

    def add(self, portion: bytes) -> None:
        feeds = portion.count(b"\n")
        # To look for a byte is much quicker than to count it.
        returns, pairs = (portion.count(b"\r") if b"\r" in portion else 0), 0
        if returns or self._last == b"\r":
            pairs = (self._last + portion).count(b"\r\n")
        # A CR at the end of a portion is not alone before the next portion is seen.
        lone = returns + (self._last == b"\r") - pairs - portion.endswith(b"\r")
        self._has_lone_cr |= lone > 0
        self._has_crlf |= pairs > 0
        self._has_lone_lf |= feeds > pairs
        self._is_long |= not feeds and len(portion) == PORTION_BYTES
        self._is_text &= b"\0" not in portion and self._is_decoded(portion)
        self.has_quotes = self.has_quotes or b'"' in portion
        self.has_escapes = self.has_escapes or b"\\" in portion
        self._last = portion[-1:]
        self.lines += feeds

    def _is_decoded(self, portion: bytes) -> bool:
        is_between = self._is_ascii
        self._is_ascii = portion.isascii()
        if is_between and self._is_ascii:
            return True
        try:
            self._decoder.decode(portion)
        except UnicodeDecodeError:
            return False
        return True

    @property
    def all_lines(self) -> int:
        return self.lines + (self._last not in (b"", b"\n"))

    @property
    def are_plain(self) -> bool:
        is_mixed = self._has_lone_cr or self._last == b"\r" or (self._has_crlf and self._has_lone_lf)
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return self._is_text and not is_mixed and not self._is_long
