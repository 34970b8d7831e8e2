"""Finds the columns of the time, the build and the code."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streammetrics.errors import ConfigError
from streammetrics.sources.discovery import SourceFile

ROLES = ("ts", "build", "code")

CLOCK, STRATUM, CLIENT = "clock", "stratum", "client"
"""Roles of columns that only some sources have: the time of day if `ts` is the date; the prefix of builds; the sender
of the record.
"""

_KNOWN = {
    "ts": ("ts", "time", "timestamp"),
    "build": ("build", "build_version", "version"),
    "code": ("code", "error_code"),
}
_SHOWN_COLUMNS = 50
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class Columns:
    """The names of all columns, and the places of those that are read."""

    names: tuple[str, ...]
    ts: int
    build: int
    code: int
    clock: int | None = None
    stratum: int | None = None
    client: int | None = None

    @property
    def is_split(self) -> bool:
        """Whether a time or a build is made of two columns."""
        return self.clock is not None or self.stratum is not None

    @property
    def times(self) -> tuple[int, ...]:
        """The places whose texts, joined by a blank, are the time."""
        return (self.ts,) if self.clock is None else (self.ts, self.clock)

    @property
    def by_role(self) -> dict[str, str]:
        """Their names as parameters of SQL, which always selects all of them; any column stands for a missing one."""
        named = {f"{role}_name": self.names[place] for role, place in self._by_role.items() if place is not None}
        ts, build = self.names[self.ts], self.names[self.build]
        return {"clock_name": ts, "stratum_name": build, "client_name": build, **named}

    @property
    def places(self) -> list[int | None]:
        """The places of time, clock, build, code, stratum and client, from 1."""
        return [None if place is None else place + 1 for place in self._by_role.values()]

    @property
    def _by_role(self) -> dict[str, int | None]:
        three = {"ts": self.ts, CLOCK: self.clock, "build": self.build, "code": self.code}
        return {**three, STRATUM: self.stratum, CLIENT: self.client}

    def aliases(self) -> list[str]:
        """A name for each place that needs no quotes in SQL: its role, or its number."""
        roles = {place: role for role, place in self._by_role.items()}
        return [roles.get(place, f"other_{place}") for place in range(len(self.names))]


def known(file: SourceFile) -> list[list[str]]:
    """The names, folded, by which a header is recognized: of time, build and code, the usual ones included."""
    mapped = _mapped(file)
    return [folded([*_KNOWN[role], *([] if mapped[role] is None else [str(mapped[role])])]) for role in ROLES]


def places(file: SourceFile, names: Sequence[str]) -> dict[str, int]:
    """The places of columns that can be found; an exact name comes first, otherwise case is ignored."""
    by_name = folded(names)
    found = {}
    for role, mapped in _mapped(file).items():
        for name in _KNOWN[role] if mapped is None else (mapped,):
            if name in names:
                found[role] = names.index(name)
            elif name.casefold() in by_name:
                found[role] = by_name.index(name.casefold())
            if role in found:
                break
    return found


def folded(names: Sequence[str]) -> list[str]:
    """Names in folded case."""
    return [name.strip().casefold() for name in names]


def positions(file: SourceFile) -> dict[str, int]:
    """The places of columns in the settings; none if the settings name them."""
    return {role: place - 1 for role, place in _mapped(file).items() if isinstance(place, int)}


def named(file: SourceFile) -> list[str]:
    """The columns that are set by name."""
    return [name for name in _mapped(file).values() if isinstance(name, str)]


def _mapped(file: SourceFile) -> dict[str, Any]:
    """The names or positions of columns in the settings, by role; None if not set."""
    mapped = {role: getattr(file.source.columns, role, None) for role in ROLES}
    if isinstance(mapped["ts"], tuple):
        mapped["ts"], mapped[CLOCK] = mapped["ts"]
    optional = {role: getattr(file.source.columns, role, None) for role in (STRATUM, CLIENT)}
    return mapped | {role: name for role, name in optional.items() if name is not None}


def missing(file: SourceFile, found: Mapping[str, int]) -> list[str]:
    """The roles without a column. In JSON the stratum and the client may be missing."""
    optional = {STRATUM, CLIENT} if file.format == "jsonl" else set()
    return [role for role in _mapped(file) if role not in {*found, *optional}]


def fitting(file: SourceFile, fields: Sequence[str]) -> int:
    """How many of the three columns a line has, read as the header if the source has one."""
    if file.source.header:
        return len(places(file, fields))
    return sum(place < len(fields) for place in positions(file).values())


def resolve(file: SourceFile, names: Sequence[str]) -> Columns:
    """Find the three columns.

    Raises:
        ConfigError: one of them is missing, or one column is set for two of them.
    """
    if not file.source.header:
        raise ConfigError(
            f"{file.path}: is no CSV or TSV, and header = false of [[source]] {file.source.name!r} is for these alone: "
            "give such files a [[source]] of their own"
        )
    found = places(file, names)
    lacking = missing(file, found)
    if lacking or len(set(found.values())) < len(found):
        what = "one column cannot be two of ts, build, code, stratum and client"
        if lacking:
            what = "no column for " + ", ".join(role + _wanted(file, role) for role in lacking)
        shown = ", ".join(json.dumps(name[:_SHOWN_CHARACTERS], ensure_ascii=False) for name in names[:_SHOWN_COLUMNS])
        more = f" and {len(names) - _SHOWN_COLUMNS} more" if len(names) > _SHOWN_COLUMNS else ""
        raise ConfigError(
            f"{file.path}: {what}; the columns found are: {shown or 'none'}{more}; "
            f"name them in [[source]] {file.source.name!r} of the configuration, beside its name and path:\n"
            f"{_mapping(found, names)}"
        )
    return Columns(tuple(names), **found)


def _wanted(file: SourceFile, role: str) -> str:
    mapped = _mapped(file)[role]
    return "" if mapped is None else f" (set to {json.dumps(mapped, ensure_ascii=False)})"


def _mapping(found: dict[str, int], names: Sequence[str]) -> str:
    """A line to copy into config.toml, with the columns that are known."""
    values = (names[found[role]] if role in found else "..." for role in ROLES)
    pairs = (f"{role} = {json.dumps(value, ensure_ascii=False)}" for role, value in zip(ROLES, values, strict=True))
    return f"columns = {{ {', '.join(pairs)} }}"
