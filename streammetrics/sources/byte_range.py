"""The new lines of a file: their bytes, where they lie, and which lines of the file they are."""

from functools import lru_cache
from pathlib import Path

from streammetrics.errors import InputOutputError
from streammetrics.sources.encoding import codec_of, portions
from streammetrics.sources.fingerprints import SMALL_BYTES, Snapshot
from streammetrics.sources.line_ends import count_ends
from streammetrics.sources.tail import News


def in_memory(news: News) -> bytes:
    """A small part of a text.

    Raises:
        OSError: it cannot be read.
        InputOutputError: it is not there any more.
    """
    data = news.opened.bytes.read(news.start, news.stop)
    if len(data) < news.stop - news.start:
        raise _cut_off(news)
    return data


def on_disk(news: News, scratch: Path, *, is_copied: bool) -> Path:
    """A part of any size, or a file that is no text: where it lies, unless it is but a part or is to be copied.

    Raises:
        OSError: it cannot be read, or there is no room for a copy.
        InputOutputError: it is not there any more.
    """
    if not is_copied and (news.start, news.stop) == (0, news.opened.bytes.size):
        return news.opened.bytes.path
    path = scratch / "part"
    with path.open("wb") as target:
        target.writelines(portions(news.opened.bytes.path, news.start, news.stop))
        if target.tell() < news.stop - news.start:
            raise _cut_off(news)
    return path


def lines_at(news: News, offset: int) -> int:
    """How many lines end before an offset, which is the start or the stop of what is new."""
    snapshot, known = news.opened.bytes, news.known
    before = known.lines if known is not None and known.lines is not None else _count(snapshot, 0, news.start)
    return before + _count(snapshot, news.start, offset)


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


def _cut_off(news: News) -> InputOutputError:
    return InputOutputError(f"{news.opened.file.path}: was cut off while it was read; nothing of it was loaded")
