"""What a file's bytes are: their fingerprint, and which reader they are for."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Small enough for the processor's cache.
_PORTION = 1 << 20


@dataclass(frozen=True)
class Content:
    """The (unpacked) bytes of a file.

    `is_plain`: UTF-8 with one kind of line end, LF or CRLF, without NUL and without blanks beside quotes. Of such text
    DuckDB's reader and Python's make the same fields.
    """

    path: Path
    size: int
    encoding: str
    is_plain: bool
    hashing: "Future[str]"

    @property
    def fingerprint(self) -> str:
        """Of all bytes. May have to be waited for: they are hashed while the records are loaded."""
        return self.hashing.result()


def examine(path: Path) -> Content:
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
    is_utf16 = first.startswith((b"\xff\xfe", b"\xfe\xff"))
    encoding = "utf-16" if is_utf16 else "utf-8-sig"
    return Content(path, size, encoding, not is_utf16 and traits.are_plain, hashing)


def _fingerprint(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def prefix_fingerprints(path: Path, sizes: Sequence[int]) -> dict[int, str]:
    """The fingerprints of the first so many bytes: what a file was before it grew. `sizes` ascend."""
    digest, position, found = hashlib.sha256(), 0, {}
    with path.open("rb") as stream:
        for size in sizes:
            while position < size and (portion := stream.read(min(size - position, _PORTION))):
                digest.update(portion)
                position += len(portion)
            found[size] = digest.copy().hexdigest()
    return found


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
