"""JSON lines: an object a line. Numbers stay the text that they came as, so that a code keeps its digits."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from streammetrics.config.section import LONGEST_NAME
from streammetrics.sources.columns import ROLES, Columns
from streammetrics.sources.content import Content
from streammetrics.sources.records import LONGEST_RECORD, Record, accepted, open_text, read_line, rejected, text_problem

_SAMPLE_LINES = 1000


def keys(content: Content, believed: Iterable[str]) -> list[str]:
    """The keys of the first objects, in the order of their appearance; `error.code` is that of an object in `error`.

    Those that are `believed` count where there are more objects, which may have them.
    """
    found: dict[str, None] = {}
    lines = _lines(content)
    for _, text in islice(lines, _SAMPLE_LINES):
        value = _parse(text)
        if isinstance(value, dict):
            found.update(dict.fromkeys(_paths(value)))
    if next(lines, None) is not None:
        found.update(dict.fromkeys(believed))
    return list(found)


def _paths(value: dict[str, Any], before: str = "") -> Iterator[str]:
    for key, inner in value.items():
        path = before + key
        yield path
        if isinstance(inner, dict) and len(path) < LONGEST_NAME:
            yield from _paths(inner, f"{path}.")


def _at(value: dict[str, Any], path: str) -> Any:
    """What is there; None where nothing is. Of keys that hold a dot the longest that fits is meant."""
    if path in value:
        return value[path]
    end = path.rfind(".")
    while end >= 0:
        inner = value.get(path[:end])
        if isinstance(inner, dict) and (found := _at(inner, path[end + 1 :])) is not None:
            return found
        end = path.rfind(".", 0, end)
    return None


def read(content: Content, columns: Columns) -> Iterator[Record]:
    """The records; blank lines are none."""
    names = [columns.names[place] for place in (*columns.times, columns.build, columns.code)]
    for line, text in _lines(content):
        values, reason = _values(text, names, content.encoding)
        if reason:
            yield rejected(line, reason, text)
        else:
            *ts, build, code = values
            yield accepted(line, " ".join(ts), build, code, text)


def _lines(content: Content) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without their ends; of a line that is too long, as much as shows that."""
    with open_text(content) as stream:
        number = content.lines_before
        while line := read_line(stream):
            number += 1
            if line.strip():
                yield number, line.rstrip("\r\n")


def _values(text: str, names: list[str], encoding: str) -> tuple[list[str], str]:
    """Time, build and code as text, or why they could not be told."""
    problem = text_problem(text, encoding)
    if problem:
        return [], problem
    if len(text) > LONGEST_RECORD:
        return [], f"is longer than {LONGEST_RECORD:,} characters"
    found = _parse(text)
    if not isinstance(found, dict):
        return [], "is not a JSON object"
    values = []
    for role, name in zip((*ROLES[: len(names) - len(ROLES)], *ROLES), names, strict=True):
        value = _at(found, name)
        if value is None:
            return [], f"has no {role}"
        if not isinstance(value, str):
            return [], f"{role} is neither text nor a number"
        values.append(value)
    return values, text_problem("".join(values), "utf-8")


def _parse(text: str) -> Any:
    """The value of a line, numbers as they are written; None where it is not JSON."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
