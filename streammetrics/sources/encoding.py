"""Byte ranges to read: their encoding, and whether DuckDB can read them line by line unchanged."""

import codecs
import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from streammetrics.sources.plain import MARKED_LINE

# Small enough for the processor's cache.
PORTION_BYTES = 1 << 20

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def codec_of(beginning: bytes) -> str:
    """The encoding of text by its first bytes (byte order mark)."""
    return _UTF16.get(beginning[:2], "utf-8")


@dataclass(frozen=True)
class Examined:
    """What must be known about a file before DuckDB reads it.

    `is_plain`: see streammetrics/sources/plain.py; line ends may be CRLF as well, if all are.
    `lines`: their number, including one without a line end. `has_escapes`: it contains a backslash.
    """

    is_plain: bool
    has_quotes: bool
    has_escapes: bool
    lines: int
    hashing: "Future[str]"

    @property
    def fingerprint(self) -> str:
        """The fingerprint of all bytes. Waits for it: the bytes are hashed while the records are loaded."""
        return self.hashing.result()


def examine(path: Path) -> Examined:
    """Scan a file, and start hashing it.

    Raises:
        OSError: it cannot be read.
    """
    hasher = ThreadPoolExecutor(max_workers=1)
    hashing = hasher.submit(_fingerprint, path)
    hasher.shutdown(wait=False)
    feeds = returns = pairs = 0
    last, decoder = b"", codecs.getincrementaldecoder("utf-8")()
    is_ascii = is_text = True
    is_long = is_marked = has_quotes = has_escapes = False
    for portion in portions(path):
        new_feeds = portion.count(b"\n")
        # Searching for a byte is much faster than counting it.
        new_returns = portion.count(b"\r") if b"\r" in portion else 0
        if new_returns or last.endswith(b"\r"):
            pairs += (last[-1:] + portion).count(b"\r\n")
        feeds, returns = feeds + new_feeds, returns + new_returns
        is_long |= not new_feeds and len(portion) == PORTION_BYTES
        is_known, is_ascii = is_ascii, portion.isascii()
        is_marked = is_marked or (not is_ascii and MARKED_LINE in last + portion)
        last = portion[1 - len(MARKED_LINE) :]
        is_text = is_text and b"\0" not in portion and ((is_known and is_ascii) or _is_decoded(decoder, portion))
        has_quotes = has_quotes or b'"' in portion
        has_escapes = has_escapes or b"\\" in portion
    is_mixed = returns > pairs or 0 < pairs < feeds
    is_plain = is_text and not (is_mixed or is_long or is_marked) and _is_decoded(decoder, b"", is_over=True)
    return Examined(is_plain, has_quotes, has_escapes, feeds + (last[-1:] not in (b"", b"\n")), hashing)


def _is_decoded(decoder: codecs.IncrementalDecoder, portion: bytes, *, is_over: bool = False) -> bool:
    try:
        decoder.decode(portion, is_over)
    except UnicodeDecodeError:
        return False
    return True


def portions(path: Path, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The bytes from one offset to another, in portions; fewer if the file was cut off meanwhile.

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
