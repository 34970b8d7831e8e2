"""JSON lines: which keys the first objects have, and where in an object a column is."""

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
"""The keys from an object to a value within."""


def sample(snapshot: Snapshot, believed: Iterable[str], *, is_part: bool = False) -> dict[Path, list[str]]:
    """The paths of the first objects in the order of their appearance, each with the texts and numbers there.

    Those that are `believed` (`error.code` is a key that holds a dot, or that of an object in `error`) count where
    there are more objects, which may have them, as where the snapshot `is_part` of them.
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
    """JSON pointers to what may be the time, the clock, the build, the code, the stratum and the client.

    Of each the one that wins is first. Of keys that hold a dot the longest that fits is meant. Returns also how many
    there are up to the last of each, and
    the keys of the six.
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
    """The value of a line, numbers as they are written; None where it is not JSON."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
