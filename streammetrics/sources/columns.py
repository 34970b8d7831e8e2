"""Which of a file's columns are the time, the build and the code."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from streammetrics.errors import ConfigError
from streammetrics.sources.files import SourceFile

ROLES = ("ts", "build", "code")

_KNOWN = {
    "ts": ("ts", "time", "timestamp"),
    "build": ("build", "build_version", "version"),
    "code": ("code", "error_code"),
}
_SHOWN_COLUMNS = 50
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class Columns:
    """The names of all columns, and the places of the three among them."""

    names: tuple[str, ...]
    ts: int
    build: int
    code: int

    def aliases(self) -> list[str]:
        """A name for each place that SQL can carry without quoting: its role, or its number."""
        roles = {self.ts: "ts", self.build: "build", self.code: "code"}
        return [roles.get(place, f"other_{place}") for place in range(len(self.names))]


def places(file: SourceFile, names: Sequence[str]) -> dict[str, int]:
    """Where the columns are that can be told; names are compared without regard to case unless one fits exactly."""
    folded = [name.strip().casefold() for name in names]
    found = {}
    for role in ROLES:
        mapped = getattr(file.source.columns, role, None)
        for name in _KNOWN[role] if mapped is None else (mapped,):
            if name in names:
                found[role] = names.index(name)
            elif name.casefold() in folded:
                found[role] = folded.index(name.casefold())
            if role in found:
                break
    return found


def positions(file: SourceFile) -> dict[str, int]:
    """The places that the settings give the columns; none where they go by name."""
    mapped = {role: getattr(file.source.columns, role, None) for role in ROLES}
    return {role: place - 1 for role, place in mapped.items() if isinstance(place, int)}


def fitting(file: SourceFile, fields: Sequence[str]) -> int:
    """How many of the three columns a line, taken for the header where the source has one, has."""
    if file.source.header:
        return len(places(file, fields))
    return sum(place < len(fields) for place in positions(file).values())


def resolve(file: SourceFile, names: Sequence[str]) -> Columns:
    """The three columns.

    Raises:
        ConfigError: one of them is not there, or one column is to be two of them.
    """
    if not file.source.header:
        raise ConfigError(
            f"{file.path}: is no CSV or TSV, and header = false of [[source]] {file.source.name!r} is for these alone: "
            "give such files a [[source]] of their own"
        )
    found = places(file, names)
    if len(set(found.values())) < len(ROLES):
        missing = [role for role in ROLES if role not in found]
        what = "one column cannot be two of ts, build and code"
        if missing:
            what = "no column for " + ", ".join(role + _wanted(file, role) for role in missing)
        shown = ", ".join(json.dumps(name[:_SHOWN_CHARACTERS], ensure_ascii=False) for name in names[:_SHOWN_COLUMNS])
        more = f" and {len(names) - _SHOWN_COLUMNS} more" if len(names) > _SHOWN_COLUMNS else ""
        raise ConfigError(
            f"{file.path}: {what}; the columns found are: {shown or 'none'}{more}; "
            f"name them in [[source]] {file.source.name!r} of the configuration, beside its name and path:\n"
            f"{_mapping(found, names)}"
        )
    return Columns(tuple(names), found["ts"], found["build"], found["code"])


def _wanted(file: SourceFile, role: str) -> str:
    mapped = getattr(file.source.columns, role, None)
    return "" if mapped is None else f" (set to {json.dumps(mapped, ensure_ascii=False)})"


def _mapping(found: dict[str, int], names: Sequence[str]) -> str:
    """A line to copy into config.toml, with what is known already."""
    values = (names[found[role]] if role in found else "..." for role in ROLES)
    pairs = (f"{role} = {json.dumps(value, ensure_ascii=False)}" for role, value in zip(ROLES, values, strict=True))
    return f"columns = {{ {', '.join(pairs)} }}"
