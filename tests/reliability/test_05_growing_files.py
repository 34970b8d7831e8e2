"""Files that grow, are rotated, cut off or written again: each whole line counts once, and losses are reported.

The oracle follows what is done to files; the program sees only what they hold. Every record has a code of its own.
"""

import gzip
import os
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC
from itertools import count as numbers
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.ingest.feeding import NOW, Shop
from tests.reliability.conftest import count

pytestmark = pytest.mark.reliability

HEADER = "ts,build,code\n"
ROTATED = ("app.log.1", "app.log.2", "app.log.3")


@dataclass
class Lineage:
    """What one writer wrote: whole lines, and the beginning of another; the codes of its records, those that count."""

    text: str = HEADER
    rest: str = ""
    codes: list[str] = field(default_factory=list)
    has_counted: bool = False


class GrowingFiles(RuleBasedStateMachine):
    """`now`: which lineage each path holds; `before`: which one an ingest read lines of, by the file of `inodes`.

    `renamed`: the paths of `before` whose file an ingest met under another name since.
    """

    shop: Shop
    seen: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.shop.clear()
        self.folder = tempfile.TemporaryDirectory(prefix="growing-")
        self.shop.folder = Path(self.folder.name) / "logs"
        self.shop.folder.mkdir()
        self.seen["sequences"] += 1
        self.codes, self.ticks = numbers(), numbers(round(NOW.replace(tzinfo=UTC).timestamp() * 10**9))
        self.now: dict[str, Lineage] = {}
        self.before: dict[str, Lineage] = {}
        self.inodes: dict[str, int] = {}
        self.renamed: set[str] = set()
        self.at_last_ingest: dict[str, tuple[int, int]] = {}
        self.counted: set[str] = set()
        self.missed: list[tuple[str, Lineage]] = []
        self.write("app.log", Lineage())

    def teardown(self) -> None:
        self.ingest()
        self.folder.cleanup()

    def path(self, name: str) -> Path:
        return self.shop.folder / name

    def touch(self, name: str) -> None:
        """Two writes within one tick of the file system's clock look like one: here none are."""
        os.utime(self.path(name), ns=(next(self.ticks),) * 2)

    def write(self, name: str, lineage: Lineage) -> None:
        self.path(name).write_text(lineage.text + lineage.rest)
        self.touch(name)
        self.now[name] = lineage

    def add_to(self, lineage: Lineage, records: int, cut: int) -> str:
        """So many records more, the last of them cut; what comes behind the bytes that were there."""
        before = len(lineage.text) + len(lineage.rest)
        lineage.text = lineage.text or HEADER
        if lineage.rest:
            lineage.text += lineage.codes[-1].join(("2026-11-23 10:00:00,5.9,", "\n"))
            lineage.rest = ""
        for place in range(records):
            lineage.codes.append(f"E{next(self.codes)}")
            line = f"2026-11-23 10:00:00,5.9,{lineage.codes[-1]}\n"
            if place == records - 1 and cut:
                lineage.rest = line[: min(cut, len(line) - 1)]
            else:
                lineage.text += line
        return (lineage.text + lineage.rest)[before:]

    amounts = st.integers(1, 12), st.sampled_from([0, 0, 1, 10, 20, 24, 25, 26])

    @rule(records=amounts[0], cut=amounts[1])
    def append(self, records: int, cut: int) -> None:
        more = self.add_to(self.now["app.log"], records, cut)
        with self.path("app.log").open("a") as stream:
            stream.write(more)
        self.touch("app.log")

    @rule(records=st.integers(0, 3))
    def rotate(self, records: int) -> None:
        """app.log to app.log.1 and so on; what was the oldest is gone. The writer has the old file open for longer."""
        for old, new in reversed(list(zip(("app.log", *ROTATED), ROTATED, strict=False))):
            if old in self.now:
                self.path(old).rename(self.path(new))
                self.now[new] = self.now.pop(old)
        more = self.add_to(self.now["app.log.1"], records, 0)
        with self.path("app.log.1").open("a") as stream:
            stream.write(more)
        self.touch("app.log.1")
        self.write("app.log", Lineage())

    @precondition(lambda self: "copy.log" not in self.now)
    @rule(is_empty=st.booleans())
    def copytruncate(self, is_empty: bool) -> None:
        self.write("copy.log", self.now["app.log"])
        self.write("app.log", Lineage("" if is_empty else HEADER))

    @rule(records=amounts[0], cut=amounts[1], in_place=st.booleans())
    def rewrite(self, records: int, cut: int, in_place: bool) -> None:
        """In place, or deleted and made again, for which the file system takes the same inode."""
        if not in_place:
            self.path("app.log").unlink()
        lineage = Lineage()
        self.add_to(lineage, records, cut)
        self.write("app.log", lineage)

    @precondition(lambda self: "app.log.1" in self.now and not self.now["app.log.1"].rest)
    @rule()
    def compress(self) -> None:
        lineage = self.now.pop("app.log.1")
        self.path("app.log.1.gz").write_bytes(gzip.compress((lineage.text).encode()))
        self.touch("app.log.1.gz")
        self.path("app.log.1").unlink()
        self.now["app.log.1.gz"] = lineage

    @rule(name=st.sampled_from((*ROTATED, "copy.log", "app.log.1.gz")))
    def delete(self, name: str) -> None:
        if name in self.now:
            self.path(name).unlink()
            del self.now[name]

    @rule()
    def ingest(self) -> None:
        self.expect()
        outcomes = self.shop.feed(format="csv", path=str(self.shop.folder / "*"))
        assert [outcome for outcome in outcomes if outcome.state == "failed"] == []
        events = Counter(code for _, _, code in self.shop.events())
        assert events == Counter(self.counted), "each whole line once"
        assert self.shop.rejects() == []
        found = self.shop.rows("select path, count(*) from replaced where found_as is null group by all order by all")
        missed = Counter(str(self.path(name)) for name, _ in self.missed)
        assert found == sorted(missed.items()), "every rewrite is reported, and no rotation"
        assert self.shop.rows("select coalesce(sum(records), 0) from batches") == [(len(self.counted),)]
        assert self.shop.rows("select coalesce(sum(errors), 0) from counters") == [(len(self.counted),)]
        self.seen["ingests"] += 1
        self.seen["reported"] = max(self.seen["reported"], len(missed))

    def expect(self) -> None:
        """What this ingest has to find."""
        stats = {name: (self.path(name).stat().st_size, self.path(name).stat().st_mtime_ns) for name in self.now}
        changed = [name for name, stat in stats.items() if self.at_last_ingest.get(name) != stat]
        met = [self.now[name] for name in changed if self.now[name].has_counted]
        self.missed = [miss for miss in self.missed if not any(miss[1] is lineage for lineage in met)]
        for name in changed:
            lineage, former = self.now[name], self.before.get(name)
            is_other = former is not None and former is not lineage
            was_renamed = name in self.renamed and self.inodes[name] != self.path(name).stat().st_ino
            if is_other and not any(former is one for one in met) and not lineage.has_counted and not was_renamed:
                assert former is not None
                self.missed.append((name, former))
            self.before.pop(name, None)
        for name in self.now:
            lineage = self.now[name]
            whole = lineage.codes[:-1] if lineage.rest else lineage.codes
            self.counted.update(whole)
            if whole:
                lineage.has_counted = True
                self.before[name] = lineage
            if whole and name in changed:
                self.inodes[name] = self.path(name).stat().st_ino
                self.renamed.discard(name)
        for name, former in self.before.items():
            places = [place for place in changed if place != name and self.now[place] is former]
            if any(self.path(place).stat().st_ino == self.inodes[name] for place in places):
                self.renamed.add(name)
        self.at_last_ingest = stats


def test_every_whole_line_counts_once_and_every_rewrite_is_reported(one_shop: Shop, record_property: Any) -> None:
    GrowingFiles.shop, GrowingFiles.seen = one_shop, {"sequences": 0, "ingests": 0, "reported": 0}
    sequences = count(quick=20, full=500)
    run_state_machine_as_test(
        GrowingFiles,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=16,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
    assert GrowingFiles.seen["sequences"] >= sequences
    assert GrowingFiles.seen["reported"] > 0
    record_property("seen", "{sequences} sequences, {ingests} ingests, 0 differences".format(**GrowingFiles.seen))
