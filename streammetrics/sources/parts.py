"""The new lines of a file as a content of their own, behind its header where it has one: so any reader reads them."""

from functools import lru_cache
from pathlib import Path

from streammetrics.errors import InputOutputError
from streammetrics.sources import delimited
from streammetrics.sources.content import Content, codec_of
from streammetrics.sources.fingerprints import SMALL_BYTES, Snapshot
from streammetrics.sources.lines import count_ends
from streammetrics.sources.news import News
from streammetrics.sources.records import PLACE_BITS


def in_memory(news: News, place: int) -> Content:
    """A small part of a text, of the file at a place among those that are read together.

    Raises:
        OSError: it cannot be read.
        InputOutputError: it is not there any more.
    """
    header, lines_before = _before(news)
    data = news.opened.bytes.read(news.start, news.stop)
    if len(data) < news.stop - news.start:
        raise _cut_off(news)
    return Content(news.opened.bytes.path, news.whole.encoding, header + data, lines_before + (place << PLACE_BITS))


def on_disk(news: News, scratch: Path, *, is_copied: bool) -> Content:
    """A part of any size, or a file that is no text: where it lies, unless it is but a part or is to be copied.

    Raises:
        OSError: it cannot be read, or there is no room for a copy.
        InputOutputError: it is not there any more.
    """
    if not is_copied and (news.start, news.stop) == (0, news.opened.bytes.size):
        return Content(news.opened.bytes.path, news.whole.encoding)
    header, lines_before = _before(news)
    path = scratch / "part"
    with path.open("wb") as target, news.opened.bytes.path.open("rb") as stream:
        target.write(header)
        stream.seek(news.start)
        left = news.stop - news.start
        while left and (portion := stream.read(min(left, SMALL_BYTES))):
            target.write(portion)
            left -= len(portion)
    if left:
        raise _cut_off(news)
    return Content(path, news.whole.encoding, lines_before=lines_before)


def lines_at(news: News, offset: int) -> int:
    """How many lines end before an offset, which is the start or the stop of what is new."""
    snapshot, known = news.opened.bytes, news.known
    before = known.lines if known is not None and known.lines is not None else _count(snapshot, 0, news.start)
    return before + _count(snapshot, news.start, offset)


def _before(news: News) -> tuple[bytes, int]:
    """What a reader is to see before the part, and by how much the numbers of lines then differ from the file's."""
    if not news.start:
        return b"", 0
    file, later = news.opened.file, news.known.header_line if news.known else None
    header = delimited.header(file, news.whole, later) if file.format != "jsonl" else b""
    return header, lines_at(news, news.start) - count_ends(header, codec_of(news.opened.bytes.beginning))


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
