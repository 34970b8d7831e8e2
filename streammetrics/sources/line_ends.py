"""Where lines and records end in bytes that somebody may still be writing."""

from streammetrics.sources.encoding import codec_of
from streammetrics.sources.fingerprints import Snapshot
from streammetrics.sources.plain import quoted_spans

LONGEST_QUOTED_BYTES = 1 << 16
"""A quote that is open for longer at the end of a file was never one: it must not keep back what comes after it."""

_BLOCK_BYTES = 1 << 16


def last_end(snapshot: Snapshot, start: int) -> int:
    """The end of the last whole line behind `start`, which is `start` where none ends.

    A CR that comes last may be half a line end.
    """
    codec = codec_of(snapshot.beginning)
    width = len("\n".encode(codec))
    feed, carriage = "\n".encode(codec), "\r".encode(codec)
    position = snapshot.size - snapshot.size % width
    if position > start and snapshot.read(position - width, position) == carriage:
        position -= width
    while position > start:
        low = max(start, position - _BLOCK_BYTES)
        block = snapshot.read(low, position)
        found = max(_last(block, feed), _last(block, carriage))
        if found >= 0:
            return low + found + width
        position = low
    return start


def _last(block: bytes, end: bytes) -> int:
    """Where a line end is last found; it is as wide as the text's units."""
    found = block.rfind(end)
    while found > 0 and found % len(end):
        found = block.rfind(end, 0, found + len(end) - 1)
    return found


def open_bytes(tail: bytes, codec: str, delimiter: str) -> int:
    """How many bytes at the end of whole lines belong to a record of which a quoted field is still open."""
    text = tail if codec == "utf-8" else tail.decode(codec, "replace").encode()
    # A CR that stands alone ends a line as well, and of two bytes that end one, one may.
    opened = [start for start, _, kind in quoted_spans(text.replace(b"\r", b"\n"), delimiter) if kind is None]
    rest = text[opened[0] :] if opened else b""
    found = len(rest if codec == "utf-8" else rest.decode().encode(codec))
    return found if found <= LONGEST_QUOTED_BYTES else 0


def count_ends(data: bytes, codec: str) -> int:
    """How many lines end in the bytes."""
    text = data if codec == "utf-8" else data.decode(codec, "replace").encode()
    # To look for a byte is much quicker than to count it.
    return text.count(b"\n") + (text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else 0)
