"""A file that is read at every byte of its growth: no record is read before it is whole, none is read in two halves."""

import json
import os
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest

from tests.ingest.feeding import NOW, Shop
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

CODES = ["404", "-17", "a, b", "two\nlines", 'say "no"', "é\U0001f4a5"]


def quoted(code: str) -> str:
    return '"' + code.replace('"', '""') + '"' if any(sign in code for sign in ',"\n') else code


def delimited(end: str) -> list[str]:
    records = [f"2026-11-23 10:00:{n:02},5.10,{quoted(code)}{end}" for n, code in enumerate(CODES)]
    return [f"ts,build,code{end}", *records]


def objects() -> list[str]:
    return [
        json.dumps({"ts": f"2026-11-23 10:00:{n:02}", "build": "5.10", "code": code}, ensure_ascii=False) + "\n"
        for n, code in enumerate(CODES)
    ]


KINDS: dict[str, tuple[str, Callable[[], list[str]], str]] = {
    "LF": ("a.csv", lambda: delimited("\n"), "utf-8"),
    "CRLF": ("a.csv", lambda: delimited("\r\n"), "utf-8"),
    "BOM": ("a.csv", lambda: delimited("\n"), "utf-8-sig"),
    "UTF-16": ("a.csv", lambda: delimited("\n"), "utf-16"),
    "JSON lines": ("a.jsonl", objects, "utf-8"),
}


def ends(lines: list[str], encoding: str) -> list[int]:
    """Where each line ends, in bytes."""
    return [len("".join(lines[: number + 1]).encode(encoding)) for number in range(len(lines))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_read_at_every_byte(shop: Shop, kind: str, record_property: Any) -> None:
    name, make, encoding = KINDS[kind]
    lines = make()
    content, places = "".join(lines).encode(encoding), ends(lines, encoding)
    headers, path = len(lines) - len(CODES), shop.folder / name
    step = count(quick=9, full=1)
    for size in [*range(0, len(content), step), len(content)]:
        path.write_bytes(content[:size])
        assert [outcome.error for outcome in shop.feed()] == [None], size
        whole = sum(place <= size for place in places)
        assert [code for _, _, code in shop.events()] == CODES[: max(0, whole - headers)], size
    assert shop.rejects() == []
    record_property("seen", f"{kind}: {len(content) // step} cuts, none torn")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_cut_anywhere_and_is_then_whole(shop: Shop, kind: str) -> None:
    name, make, encoding = KINDS[kind]
    content = "".join(make()).encode(encoding)
    for size in range(1, len(content), count(quick=83, full=1)):
        shop.clear()
        for part in (content[:size], content):
            (shop.folder / name).write_bytes(part)
            shop.feed()
        assert [code for _, _, code in shop.events()] == CODES, size
        assert shop.rejects() == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_line_of_a_file_that_is_over_is_not_lost(shop: Shop, kind: str) -> None:
    name, make, encoding = KINDS[kind]
    path = shop.folder / name
    path.write_bytes("".join(make()).rstrip("\r\n").encode(encoding))
    for age_seconds, records in ((599, len(CODES) - 1), (600, len(CODES))):
        changed_ns = round((NOW.replace(tzinfo=UTC).timestamp() - age_seconds) * 10**9)
        os.utime(path, ns=(changed_ns, changed_ns))
        (outcome,) = shop.feed()
        assert len(shop.events()) == records
        assert (outcome.waiting_bytes > 0) == (records < len(CODES))


def test_a_quote_that_nobody_closes_does_not_keep_back_what_follows(shop: Shop) -> None:
    good = "2026-11-23 10:00:00,5.9,7\n"
    path = shop.folder / "a.csv"
    path.write_text(f'ts,build,code\n{good}2026-11-23 10:00:00,"5.9,7\n{good}')
    assert shop.feed()[0].records == 1
    with path.open("a") as stream:
        stream.write(good * 3000)
    (outcome,) = shop.feed()
    assert (outcome.records, outcome.rejected, outcome.waiting_bytes) == (3001, 1, 0)
    assert [(line, reason) for line, reason, _ in shop.rejects()] == [
        (3, "a quoted field does not end where it should")
    ]
