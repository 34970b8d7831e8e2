"""JSON lines: the keys of the first objects, and the path of each column in an object."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from streammetrics.config.section import LONGEST_NAME
from streammetrics.sources.columns import Columns
from streammetrics.sources.delimited import read_line
from streammetrics.sources.snapshot import Snapshot

_SAMPLE_LINES = 1000

Path = tuple[str, ...]
"""The keys that lead from an object to a value in it."""


def sample(snapshot: Snapshot, believed: Iterable[str], *, is_part: bool = False) -> dict[Path, list[str]]:
    """The paths in the first objects in order of appearance, each with its texts and numbers.

    `believed` paths (`error.code`: a key with a dot, or key `code` of the object `error`) are added if there are more
    objects, which may have them, for example if the snapshot `is_part` of the file.
    """
    found: dict[Path, list[str]] = {}
    with snapshot.open_text() as stream:
        lines = (text for line in iter(lambda: read_line(stream), "") if (text := line.strip()))
        for value in map(_parse, islice(lines, _SAMPLE_LINES)):
            if isinstance(value, dict):
                for path, inner in _paths(value):
                    found.setdefault(path, []).extend([inner] if isinstance(inner, str) else [])
        if is_part or next(lines, None) is not None:
            found.update({(name,): [] for name in believed if name not in map(".".join, found)})
    return found


def pointers(columns: Columns, seen: Iterable[Path]) -> tuple[list[str], list[int], list[str]]:
    """JSON pointers to candidates for the time, the clock, the build, the code, the stratum and the client.

    For each role the preferred pointer is first; of keys with dots, the longest that fits. Also returns the place of
    the last pointer of each role, and the keys of the six roles.
    """
    found: list[str] = []
    stops, last_keys = [], []
    for place in columns.places:
        name = "" if place is None else columns.names[place - 1]
        paths = {path for path in seen if ".".join(path) == name} | {(name,), tuple(name.split("."))}
        if place is not None:
            longest_first = sorted(paths, key=lambda path: [-len(key) for key in path])
            found += [
                "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path) for path in longest_first
            ]
        stops.append(len(found))
        last_keys.append(name.rpartition(".")[2])
    return found, stops, last_keys


def _paths(value: Mapping[str, Any], before: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, inner in value.items():
        path = (*before, key)
        yield path, inner
        if isinstance(inner, dict) and sum(map(len, path)) < LONGEST_NAME:
            yield from _paths(inner, path)


def _parse(text: str) -> Any:
    """The value of a line, with numbers as written; None if it is not JSON."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
