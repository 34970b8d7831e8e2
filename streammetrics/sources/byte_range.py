"""The new lines of a file: their bytes, where they lie, and which lines of the file they are."""

from functools import lru_cache
from pathlib import Path

from streammetrics.errors import InputOutputError
from streammetrics.sources.encoding import codec_of, portions
from streammetrics.sources.fingerprints import SMALL_BYTES, Snapshot
from streammetrics.sources.line_ends import count_ends
from streammetrics.sources.tail import Tail


def in_memory(tail: Tail) -> bytes:
    """A small part of a text.

    Raises:
        OSError: it cannot be read.
        InputOutputError: it is not there any more.
    """
    data = tail.opened.bytes.read(tail.start, tail.stop)
    if len(data) < tail.stop - tail.start:
        raise _cut_off(tail)
    return data


def on_disk(tail: Tail, scratch: Path, *, is_copied: bool) -> Path:
    """A part of any size, or a file that is no text: where it lies, unless it is but a part or is to be copied.

    Raises:
        OSError: it cannot be read, or there is no room for a copy.
        InputOutputError: it is not there any more.
    """
    if not is_copied and (tail.start, tail.stop) == (0, tail.opened.bytes.size):
        return tail.opened.bytes.path
    path = scratch / "part"
    with path.open("wb") as target:
        target.writelines(portions(tail.opened.bytes.path, tail.start, tail.stop))
        if target.tell() < tail.stop - tail.start:
            raise _cut_off(tail)
    return path


def lines_at(tail: Tail, offset: int) -> int:
    """How many lines end before an offset, which is the start or the stop of what is new."""
    snapshot, known = tail.opened.bytes, tail.known
    before = known.lines if known is not None and known.lines is not None else _count(snapshot, 0, tail.start)
    return before + _count(snapshot, tail.start, offset)


@lru_cache(maxsize=2)
def _count(snapshot: Snapshot, start: int, stop: int) -> int:
    codec, lines, last = codec_of(snapshot.beginning), 0, b""
    carriage, feed = "\r".encode(codec), "\n".encode(codec)
    for position in range(start, stop, SMALL_BYTES):
        portion = snapshot.read(position, min(stop, position + SMALL_BYTES))
        # The two halves of a line end may lie in two portions.
        lines += count_ends(portion, codec) - (last.endswith(carriage) and portion.startswith(feed))
        last = portion
    return lines


def _cut_off(tail: Tail) -> InputOutputError:
    return InputOutputError(f"{tail.opened.file.path}: was cut off while it was read; nothing of it was loaded")
