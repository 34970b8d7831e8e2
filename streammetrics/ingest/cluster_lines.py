"""Lines of files on a cluster: how they are read there, the results, and line numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from streammetrics.engine.cluster_load import ROLES
from streammetrics.ingest.batch import Tally
from streammetrics.sources import json_lines
from streammetrics.sources.reader import Plan

_LONGEST_LINE = 1 << 16
"""Characters of a line that the cluster reads."""

_KEY = re.compile(r"[\w@](?:[\w@ -]*[\w@])?", re.ASCII)
_TOKENS = {"true", "false", "null"}
_WHOLE_OR_TEXT = r'("[^"]*"|-?[1-9][0-9]{0,17}|0)'


@dataclass(frozen=True)
class Read:
    """The part of one file in a load. The tally counts the records that the cluster has read; `other_bytes` is the size
    of the lines that need a closer look.
    """

    lines: int
    tally: Tally
    other_bytes: int

    @property
    def others(self) -> int:
        """The number of lines that need a closer look."""
        return self.lines - self.tally.records


def columns_of(plan: Plan) -> dict[str, str] | None:
    """The columns of Parquet files by role; None for texts."""
    return None if plan.file.is_text else _names(plan)


def parameters_of(plan: Plan) -> dict[str, object]:
    """The parameters of the statement that parses lines. A longest record of -1 leaves all lines to a closer look."""
    source = plan.file.source
    is_plain = source.timezone == "UTC" and source.time_format is None and source.code_pattern is None
    is_plain &= not plan.columns.is_split
    found: dict[str, object] = {}
    if plan.head is not None:
        is_plain &= not plan.head.is_spaced
        found = {f"{role}_place": place for role, place in zip(ROLES, plan.columns.places, strict=True)}
        found |= {"delimiter": plan.head.delimiter, "width": len(plan.columns.names)}
    elif plan.file.is_text:
        names = _names(plan)
        is_plain &= len(json_lines.pointers(plan.columns, plan.paths)[0]) == len(names)
        is_plain &= all(_KEY.fullmatch(name) and name not in _TOKENS for name in names.values())
        for role in ("ts", "build", "code", "client"):
            name = names.get(role)
            value = _WHOLE_OR_TEXT if role != "client" else _WHOLE_OR_TEXT.replace("|0)", "|0|null)")
            found[f"{role}_key"] = None if name is None else f'"{name}"'
            found[f"{role}_value"] = rf'"{name}" *: *{value} *[,}}]'
    return {**found, "longest_record": _LONGEST_LINE if is_plain else -1}


def _names(plan: Plan) -> dict[str, str]:
    """The columns that were found, by role."""
    names, places = plan.columns.names, plan.columns.places
    return {role: names[place - 1] for role, place in zip(ROLES, places, strict=True) if place}


def read(blocks: Sequence[tuple[Any, ...]]) -> dict[int, Read]:
    """The parts of files in a load, by place: see `Load.blocks`."""
    found: dict[int, Read] = {}
    for place, group in groupby(blocks, lambda block: block[0]):
        parts = list(group)
        lines, records = sum(part[2] for part in parts), sum(part[4] for part in parts)
        first = min((part[5] for part in parts if part[5] is not None), default=None)
        last = max((part[6] for part in parts if part[6] is not None), default=None)
        found[place] = Read(lines, Tally(records, min_ts=first, max_ts=last), sum(part[7] for part in parts))
    return found


def numbered(others: Sequence[tuple[Any, ...]], blocks: Sequence[tuple[Any, ...]]) -> dict[int, dict[int, bytes]]:
    """The lines of each place with their line numbers in the file. Ids are consecutive within a block."""
    before: dict[tuple[int, int], int] = {}
    for _, group in groupby(blocks, lambda block: block[0]):
        lines = 0
        for place, block, count, first_id, *_ in group:
            before[place, block], lines = lines + 1 - first_id, lines + count
    found: dict[int, dict[int, bytes]] = {}
    for place, block, number, text in others:
        found.setdefault(place, {})[before[place, block] + number] = text
    return found
