"""The bytes of a file that may still be written: their fingerprints, and where lines and records end.

Content is recognized, whatever the file's name, by its first lines, and by everything before an offset.

A growing file is read again and again, so the cost must be bounded: beyond 1 MiB the fingerprint covers 64 blocks of 16
KiB, spread evenly from the first byte to the last. Changes between these blocks are not detected.
"""

import hashlib
import os
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TextIO

from streammetrics.sources.encoding import codec_of
from streammetrics.sources.plain import quoted_spans

BLOCK_BYTES = 1 << 14
BLOCKS = 64
SMALL_BYTES = BLOCK_BYTES * BLOCKS
"""Up to this size the fingerprint covers all bytes, which are held in memory."""

HEAD_LINES = 8
"""Most different contents differ within this many lines; the others are compared further."""
HEAD_BYTES = 1 << 16

LONGEST_QUOTED_BYTES = 1 << 16
"""A quote that is open for longer than this is a stray one, and must not hold back the following lines."""


class Snapshot:
    """The bytes of a file up to its present size; it may grow meanwhile.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._prefixes: dict[int, str] = {}
        self._counts: dict[tuple[int, int], int] = {}
        with path.open("rb", buffering=0) as stream:
            self.size = os.fstat(stream.fileno()).st_size
            self.data = stream.read(self.size) if self.size <= SMALL_BYTES else None
            self.beginning = self.data[:HEAD_BYTES] if self.data is not None else stream.read(HEAD_BYTES)
        if self.data is not None:
            self.size = len(self.data)
        self.codec = codec_of(self.beginning)

    def open_text(self) -> TextIO:
        """The bytes as text, with unchanged line ends; bytes that cannot be decoded stay recognizable.

        Raises:
            OSError: they cannot be read.
        """
        is_utf8 = self.codec == "utf-8"
        encoding, errors = ("utf-8", "surrogateescape") if is_utf8 else ("utf-16", "replace")
        stream = self.path.open("rb") if self.data is None else BytesIO(self.data)
        return TextIOWrapper(stream, encoding, errors, newline="")

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to `stop`; fewer if the file was cut off meanwhile."""
        if self.data is not None:
            return self.data[start:stop]
        with self.path.open("rb", buffering=0) as stream:
            stream.seek(start)
            return stream.read(stop - start)

    def prefix(self, end: int) -> str:
        """The fingerprint of everything before `end`."""
        if end not in self._prefixes:
            self._prefixes[end] = self._prefix(end)
        return self._prefixes[end]

    def _prefix(self, end: int) -> str:
        if end <= SMALL_BYTES:
            return hashlib.sha256(self.read(0, end)).hexdigest()
        digest = hashlib.sha256()
        with self.path.open("rb", buffering=0) as stream:
            for number in range(BLOCKS):
                stream.seek(number * (end - BLOCK_BYTES) // (BLOCKS - 1))
                digest.update(stream.read(BLOCK_BYTES))
        return digest.hexdigest()

    def first(self, end: int) -> str:
        """The fingerprint of all bytes before `end`, in time that grows with the file."""
        digest = hashlib.sha256()
        for start in range(0, end, SMALL_BYTES):
            digest.update(self.read(start, min(end, start + SMALL_BYTES)))
        return digest.hexdigest()

    def last_line_end(self, start: int) -> int:
        """The end of the last complete line after `start`; `start` if there is none.

        A CR at the end may be half of a CRLF.
        """
        codec = self.codec
        width = len("\n".encode(codec))
        feed, carriage = "\n".encode(codec), "\r".encode(codec)
        position = self.size - self.size % width
        if position > start and self.read(position - width, position) == carriage:
            position -= width
        while position > start:
            low = max(start, position - HEAD_BYTES)
            block = self.read(low, position)
            found = max(_last(block, feed), _last(block, carriage))
            if found >= 0:
                return low + found + width
            position = low
        return start

    def count_lines(self, start: int, stop: int) -> int:
        """How many lines end between two offsets."""
        if (start, stop) not in self._counts:
            lines, last = 0, b""
            carriage, feed = "\r".encode(self.codec), "\n".encode(self.codec)
            for position in range(start, stop, SMALL_BYTES):
                portion = self.read(position, min(stop, position + SMALL_BYTES))
                # A CRLF may be split between two portions.
                lines += _count_ends(portion, self.codec) - (last.endswith(carriage) and portion.startswith(feed))
                last = portion
            self._counts[start, stop] = lines
        return self._counts[start, stop]


def heads(beginning: bytes) -> list[str]:
    """Fingerprints of the first 0, 1, 2, up to `HEAD_LINES` complete lines, without line ends."""
    digest = hashlib.sha256()
    found = [digest.hexdigest()]
    for line in beginning[:HEAD_BYTES].splitlines(keepends=True)[:HEAD_LINES]:
        text = line.rstrip(b"\r\n")
        if text == line:
            break
        digest.update(text + b"\n")
        found.append(digest.hexdigest())
    return found


def _last(block: bytes, end: bytes) -> int:
    """The position of the last line end, which is as wide as the text's code units."""
    found = block.rfind(end)
    while found > 0 and found % len(end):
        found = block.rfind(end, 0, found + len(end) - 1)
    return found


def open_bytes(tail: bytes, codec: str, delimiter: str) -> int:
    """How many bytes at the end of complete lines belong to a record with an open quoted field."""
    text = tail if codec == "utf-8" else tail.decode(codec, "replace").encode()
    # A single CR ends a line too, and a CRLF may be split.
    opened = [start for start, _, kind in quoted_spans(text.replace(b"\r", b"\n"), delimiter) if kind is None]
    rest = text[opened[0] :] if opened else b""
    found = len(rest if codec == "utf-8" else rest.decode().encode(codec))
    return found if found <= LONGEST_QUOTED_BYTES else 0


def _count_ends(data: bytes, codec: str) -> int:
    """How many lines end in the bytes."""
    text = data if codec == "utf-8" else data.decode(codec, "replace").encode()
    # Searching for a byte is much faster than counting it.
    return text.count(b"\n") + (text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0)
