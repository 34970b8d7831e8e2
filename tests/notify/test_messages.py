"""What is sent of what waits, on literal notices."""

import json
from collections.abc import Sequence

import pytest

from streammetrics.notify import messages
from streammetrics.notify.messages import Message, Notice


def notice(
    number: int, change: str, incident: int | None = 1, *, key: str = "", errors: int = 40, ratio: float = 4.0
) -> Notice:
    code = f"E{incident}"
    fields = {"change": change, "code": code, "candidate": "5.10", "candidate_errors": errors, "ratio": ratio}
    text = f"[{change.upper()}] code {code}\n10 -> {errors} errors\nsince noon\nwhy"
    return Notice(number, change, incident, code, text, json.dumps(fields), key or f"incident-{incident}")


def never(_: Notice) -> bool:
    return False


def always(_: Notice) -> bool:
    return True


def numbers(found: Sequence[Notice]) -> list[int]:
    return [one.notice_id for one in found]


def only(found: Sequence[Message]) -> Message:
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("changes", "due", "dropped"),
    [
        (["opened"], [], []),
        (["opened", "worse"], [], []),
        (["opened", "worse", "resolved"], [], [0, 1, 2]),
        (["resolved"], [0], []),
        (["worse", "resolved"], [1], [0]),
        (["opened", "resolved", "reopened"], [], [0, 1]),
    ],
)
def test_a_held_incident_sends_nothing_and_its_end_drops_it(
    changes: list[str], due: list[int], dropped: list[int]
) -> None:
    waiting = [notice(number, change) for number, change in enumerate(changes)]
    assert [*map(numbers, messages.due_and_dropped(waiting, always))] == [due, dropped]
    assert [*map(numbers, messages.due_and_dropped(waiting, never))] == [list(range(len(changes))), []]


def test_people_get_one_message_a_run() -> None:
    alone = only(messages.grouped([notice(7, "opened")], 5))
    assert (alone.subject, alone.body) == ("[OPENED] code E1", "10 -> 40 errors\nsince noon\nwhy")
    assert (alone.key, alone.kind, alone.notice_ids) == ("notice-7", "firing", (7,))
    both = only(messages.grouped([notice(7, "resolved"), notice(8, "opened", 2)], 5))
    assert both.subject == "[OPENED] code E2, and 1 more change"
    assert both.body.splitlines() == [
        "[RESOLVED] code E1: 10 -> 40 errors, since noon",
        "[OPENED] code E2: 10 -> 40 errors, since noon",
        "All of them: streammetrics status",
    ]
    assert messages.grouped([], 5) == []


def test_a_long_message_has_ten_lines() -> None:
    found = only(
        messages.grouped([notice(number, "resolved", number) for number in range(50)], 5, "https://example.org")
    )
    lines = found.body.splitlines()
    assert len(lines) == 10
    assert lines[-3:] == ["... and 43 more changes", "All of them: streammetrics status", "https://example.org"]
    assert len(found.changes) == len(found.notice_ids) == 50


def test_a_storm_names_the_three_largest() -> None:
    begun = [notice(number, "opened", number, errors=100 * number, ratio=2.0) for number in range(1, 8)]
    found = only(messages.grouped([*begun, notice(9, "resolved", 9)], 5))
    expected = "[STORM] 7 codes increased in 5.10, most of all E7 (+350 errors), E6 (+300 errors), E5 (+250 errors)"
    assert found.subject == expected
    assert found.body.splitlines()[0].startswith("[RESOLVED] code E9")
    assert "[STORM]" not in only(messages.grouped(begun[:5], 5)).subject


def test_a_pager_gets_a_message_an_incident() -> None:
    found = messages.by_key([notice(1, "opened", 1), notice(2, "opened", 2), notice(3, "worse", 1)], 5, set())
    assert [(one.key, one.kind, one.notice_ids) for one in found] == [
        ("incident-1", "firing", (1, 3)),
        ("incident-2", "firing", (2,)),
    ]


def test_what_began_and_ended_while_a_pager_was_away_is_over() -> None:
    assert only(messages.by_key([notice(1, "opened"), notice(2, "resolved")], 5, set())).kind == "over"


def test_a_storm_of_a_pager_is_over_with_its_last_incident() -> None:
    ends = [notice(1, "resolved", 1, key="storm-1"), notice(2, "resolved", 2, key="storm-1")]
    assert messages.by_key([notice(0, "worse", 1, key="storm-1"), ends[0]], 5, {"storm-1"}) == []
    assert messages.by_key(ends[:1], 5, {"storm-1"}) == []
    assert only(messages.by_key(ends, 5, set())).kind == "over"


def test_news_is_no_end() -> None:
    assert only(messages.grouped([notice(1, "new_codes", None, key="notice-1")], 5)).kind == "news"
    assert only(messages.grouped([notice(1, "feed_silent", None, key="feed-a")], 5)).kind == "firing"
    assert only(messages.grouped([notice(1, "feed_back", None, key="feed-a")], 5)).kind == "over"
