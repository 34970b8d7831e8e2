"""The order of builds, from their names where these read as versions, else from when each appeared.

A name is a family, a version and what follows it: `android-5.1-rc1` is of the family `android`, version 5.1, a release
candidate. Builds are compared within their family.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Literal

Order = Literal["auto", "version", "first_seen"]

_PRE_RELEASES = frozenset(
    {
        *("alpha", "beta", "canary", "cr", "dev", "ea", "insider", "insiders", "m", "milestone", "next", "nightly"),
        *("pre", "preview", "rc", "snapshot"),
    }
)
# As in 59.0b14 (PEP 440); a letter at the end is no pre-release.
_PRE_RELEASE_LETTER = re.compile(r"(?<=[0-9])[ab](?=[0-9])", re.IGNORECASE)
_PRE_RELEASE, _END, _TEXT, _NUMBER = range(4)
_RUN = re.compile(r"[0-9]+|[^0-9.\-_+~/ ]+")

# A commit's hash, as `git describe` prints it as well: it has no order. Words and numbers alone are no hashes.
_HASH = re.compile(r"(?<![0-9a-z])g?(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,64}(?![0-9a-z])", re.IGNORECASE)
# A whole name of many digits may be a hash as well; an ever higher number appears in the same order.
_LONG_NUMBER = re.compile(r"[0-9]{7,}")
# Numbers with dots first: `win10-5.1` is version 5.1. A leading v is no part of the version.
_VERSION_STARTS = (
    re.compile(r"(?<![0-9A-Za-z.])[vV]?(?=[0-9]+\.[0-9])"),
    re.compile(r"(?<![0-9.])(?=[0-9]+\.[0-9])"),
    re.compile(r"(?<![0-9A-Za-z])[vV]?(?=[0-9])"),
    re.compile(r"(?=[0-9])"),
)
_SEPARATORS = "-_+~/ .@:"
_LAST_WORD = re.compile(rf"[^{re.escape(_SEPARATORS)}]*$")

_Token = tuple[int, int, str]
_Key = tuple[_Token, ...]


@dataclass(frozen=True)
class Build:
    """A build's name, and when it appeared: the second by which it could be compared; in year 9999 while it cannot."""

    name: str
    appeared: datetime


@dataclass(frozen=True)
class Place:
    """Where a build stands among those of its family, and whether its version or its appearance decided."""

    build: str
    family: str
    ordered_by: Literal["version", "first_seen"]


def in_order(builds: Iterable[Build], order: Order = "auto") -> list[Place]:
    """All builds, family by family, lower ones first.

    Args:
        order: by version; by when they appeared; or `auto`, by version where a name reads as one. Another name then
            stands right behind the highest version that had appeared before it.
    """
    families = defaultdict(list)
    for build in builds:
        families[family(build.name)].append(build)
    return [
        Place(build.name, name, "version" if is_version else "first_seen")
        for name in sorted(families)
        for build, is_version in _sorted(families[name], order)
    ]


def family(name: str) -> str:
    """The text before the version, without separators at its end and regard to case; often empty."""
    text = _HASH.sub("", name)
    start = _version_start(text)
    head = text[: start.start()] if start else _LAST_WORD.sub("", text)
    return head.rstrip(_SEPARATORS).casefold()


def version_key(name: str) -> _Key:
    """The place of a name in natural version order: 5.9 < 5.10-beta.2 < 5.10-rc1 < 5.10 < 5.10.1.

    Runs of digits are compared as numbers, of whatever length; runs of text as text, without regard to case; separators
    only separate. A pre-release comes before what it leads to.
    """
    text = _HASH.sub("", name)
    start = _version_start(text)
    version = text[start.end() :] if start else name
    spelled = _PRE_RELEASE_LETTER.sub(lambda found: "-alpha-" if found[0] in "aA" else "-beta-", version)
    return (*map(_token, _RUN.findall(spelled)), (_END, 0, ""))


def _version_start(text: str) -> re.Match[str] | None:
    if _LONG_NUMBER.fullmatch(text):
        return None
    return next(filter(None, (pattern.search(text) for pattern in _VERSION_STARTS)), None)


def _token(run: str) -> _Token:
    if run[0] in "0123456789":
        digits = run.lstrip("0")
        # The longer number is the greater one. Python refuses to read numbers of thousands of digits.
        return _NUMBER, len(digits), digits
    text = run.casefold()
    return (_PRE_RELEASE if text in _PRE_RELEASES else _TEXT), 0, text


def _sorted(builds: list[Build], order: Order) -> Iterator[tuple[Build, bool]]:
    """The builds of one family in order, each with whether its version decided."""
    is_version = {b: order == "version" or (order == "auto" and _reads_as_version(b.name)) for b in builds}
    versions = sorted(
        (build for build in builds if is_version[build]), key=lambda b: (version_key(b.name), b.appeared, b.name)
    )
    rank = {build: number for number, build in enumerate(versions, start=1)}
    by_time = sorted(versions, key=lambda build: build.appeared)
    times, highest = [build.appeared for build in by_time], list(accumulate((rank[b] for b in by_time), max))

    def place(build: Build) -> tuple[int, bool, datetime, str]:
        if is_version[build]:
            return rank[build], False, build.appeared, build.name
        before = bisect_right(times, build.appeared)
        return highest[before - 1] if before else 0, True, build.appeared, build.name

    for build in sorted(builds, key=place):
        yield build, is_version[build]


def _reads_as_version(name: str) -> bool:
    return _version_start(_HASH.sub("", name)) is not None
