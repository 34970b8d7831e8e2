"""Whatever bytes a file holds: accepted and rejected records together are its lines."""

import codecs
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streammetrics.sources.tail import Tail
from tests.ingest.feeding import Shop
from tests.reliability.conftest import count
from tests.streams import tries

pytestmark = pytest.mark.reliability

HEAD = "ts,build,code"
GOOD = "2026-11-23 10:00:00,5.9,{}"
LINES = [HEAD, *(GOOD.format(code) for code in ("7", "é", "\U0001f4a5", "404"))]

FILES: dict[str, tuple[bytes, int, int]] = {
    "UTF-8 with BOM": (codecs.BOM_UTF8 + "\n".join(LINES).encode(), 4, 0),
    "CR": ("\r".join(LINES).encode(), 4, 0),
    "CRLF": ("\r\n".join(LINES).encode(), 4, 0),
    "mixed line ends": (f"{LINES[0]}\r\n{LINES[1]}\n{LINES[2]}\r{LINES[3]}\n{LINES[4]}\r\n".encode(), 4, 0),
    "UTF-16, little end first": ("\n".join(LINES).encode("utf-16"), 4, 0),
    "UTF-16, big end first": (codecs.BOM_UTF16_BE + "\r\n".join(LINES).encode("utf-16-be"), 4, 0),
    "Latin-1": ("\n".join([HEAD, GOOD.format("é"), GOOD.format("7")]).encode("latin-1"), 1, 1),
    "bad UTF-8": ("\n".join(LINES).encode() + b"\n" + GOOD.format("\xff").encode("latin-1"), 4, 1),
    "signs before line ends": ("\n".join([HEAD, "\x1c", "\x1d", *map(GOOD.format, ("7\x1c", '"8"'))]).encode(), 2, 2),
    "NUL": ("\n".join([*LINES, GOOD.format("\0"), GOOD.format("8")]).encode(), 5, 1),
}


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_accepted_and_rejected_are_all_lines(
    shop: Shop, name: str, is_large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file is tried by DuckDB's reader first."""
    content, accepted, rejected = FILES[name]
    if is_large:
        monkeypatch.setattr(Tail, "is_small", property(lambda tail: tail.start >= tail.stop))
    outcome = shop.feed_text(content)
    assert (outcome.records, outcome.rejected) == (accepted, rejected)
    assert (len(shop.events()), len(shop.rejects())) == (accepted, rejected)


def test_random_bytes(one_shop: Shop, tmp_path_factory: pytest.TempPathFactory, record_property: Any) -> None:
    one_shop.folder = tmp_path_factory.mktemp("bytes")
    tried = count(quick=30, full=2000)
    # Quotes are left to test 6: within them a line end is none.
    texts = st.binary(min_size=1, max_size=40).map(lambda text: text.replace(b'"', b"'"))
    records = st.one_of(texts, st.sampled_from([GOOD.format(code).encode() for code in ("7", "é", "")]))
    ends = st.sampled_from([b"\n", b"\r\n", b"\r"])

    @tries(tried)
    @given(st.lists(st.tuples(records, ends), max_size=8))
    def adds_up(lines: list[tuple[bytes, bytes]]) -> None:
        one_shop.clear()
        content = b"".join(text + end for text, end in [(HEAD.encode(), b"\n"), *lines])
        outcome = one_shop.feed_text(content)
        whole = [line for line in content.splitlines() if line][1:]
        assert outcome.records + outcome.rejected == len(whole), content
        assert (outcome.records, outcome.rejected) == (len(one_shop.events()), len(one_shop.rejects()))

    adds_up()
    record_property("seen", f"{tried} random files, every sum right")
