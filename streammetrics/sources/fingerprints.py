"""How a content is recognized, whatever its name: by its first lines, and by all that lies before an offset.

A file that grows is looked at again and again, so that the cost is bounded: beyond 1 MiB the fingerprint is of 64
blocks of 16 KiB, spread evenly from the first byte to the last. What is changed between them is not seen.
"""

import hashlib
import os
from pathlib import Path

BLOCK_BYTES = 1 << 14
BLOCKS = 64
SMALL_BYTES = BLOCK_BYTES * BLOCKS
"""Up to here all bytes count, and are held in memory."""

HEAD_LINES = 8
"""Contents that differ do so within as many lines: only those that do not are compared further."""
HEAD_BYTES = 1 << 16


class Snapshot:
    """The bytes of a file, up to the size that it has now: it may grow meanwhile.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._prefixes: dict[int, str] = {}
        with path.open("rb", buffering=0) as stream:
            self.size = os.fstat(stream.fileno()).st_size
            self.data = stream.read(self.size) if self.size <= SMALL_BYTES else None
            self.beginning = self.data[:HEAD_BYTES] if self.data is not None else stream.read(HEAD_BYTES)
        if self.data is not None:
            self.size = len(self.data)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to `stop`; fewer where the file was cut off meanwhile."""
        if self.data is not None:
            return self.data[start:stop]
        with self.path.open("rb", buffering=0) as stream:
            stream.seek(start)
            return stream.read(stop - start)

    def prefix(self, end: int) -> str:
        """The fingerprint of what lies before `end`."""
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
        """The fingerprint of all bytes before `end`, however long that takes."""
        digest = hashlib.sha256()
        for start in range(0, end, SMALL_BYTES):
            digest.update(self.read(start, min(end, start + SMALL_BYTES)))
        return digest.hexdigest()


def heads(beginning: bytes) -> list[str]:
    """Fingerprints of the first whole lines: of none, one, two, up to `HEAD_LINES` of them, without their ends."""
    digest = hashlib.sha256()
    found = [digest.hexdigest()]
    for line in beginning[:HEAD_BYTES].splitlines(keepends=True)[:HEAD_LINES]:
        text = line.rstrip(b"\r\n")
        if text == line:
            break
        digest.update(text + b"\n")
        found.append(digest.hexdigest())
    return found
