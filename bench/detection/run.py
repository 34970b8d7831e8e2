"""Families through detectors, several processes at a time; what is measured is kept, so that a run can go on."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import reduce
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from operator import add
from pathlib import Path
from threading import Thread

from bench.detection import measure
from bench.detection.detectors import DETECTORS, Detector
from bench.detection.families import FAMILIES, Family
from bench.detection.measure import Tally
from bench.detection.streams import fingerprint, some_codes


@dataclass(frozen=True)
class Wanted:
    """How much of each family: at most so many code-days and changes; whole: of long streams every bin as well."""

    code_days: float
    changes: float
    is_whole: bool = False

    def is_enough(self, family: Family, detector: Detector, tally: Tally) -> bool:
        if family.is_null:
            return tally.code_days >= min(self.code_days, family.code_days, detector.code_days or family.code_days)
        return len(tally.delays) >= min(self.changes, family.changes, detector.changes or family.changes)


def say(text: str) -> None:
    """Words, on stderr: stdout is the tables."""
    print(text, file=sys.stderr, flush=True)


def measured(pairs: Iterable[tuple[str, str]], wanted: Wanted, folder: Path, jobs: int) -> dict[tuple[str, str], Tally]:
    """The tallies of (family, detector) by name, measured or read from `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    # One thread each: as many processes run as there are cores.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    found = {}
    with ProcessPoolExecutor(jobs, get_context("spawn"), _end_with_parent) as pool:
        waiting = {pool.submit(one, *pair, wanted, folder): pair for pair in pairs}
        for done in as_completed(waiting):
            pair = waiting[done]
            found[pair] = done.result()
            say(f"[{len(found)}/{len(waiting)}] {pair[0]}, {pair[1]}: {_in_words(found[pair])}")
    return found


def _end_with_parent() -> None:
    """Where the program is killed its processes know nothing of it, and would go on for hours."""
    if (parent := parent_process()) is not None:
        Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()


def one(family_name: str, detector_name: str, wanted: Wanted, folder: Path) -> Tally:
    """Measure one family with one detector, stream by stream, each kept as a line of JSON."""
    family, detector = FAMILIES[family_name], DETECTORS[detector_name]
    if detector.at_length is not None and family.is_null and family.is_punctual and not wanted.is_whole:
        detector = detector.at_length
    path = folder / f"{family.name}.{detector.name}.{_key(family, detector)}.jsonl"
    kept = [Tally(**json.loads(line)) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    total, number, reported_at = Tally(), 0, time.monotonic()
    while not wanted.is_enough(family, detector, total):
        if number == len(kept):
            stream = some_codes(family.stream(number), detector.codes)
            kept.append(measure.tally(stream, detector.judge(stream)))
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(kept[-1].as_json()) + "\n")
        total += kept[number]
        number += 1
        if time.monotonic() - reported_at > 60:
            reported_at = time.monotonic()
            say(f"  {family.name}, {detector.name}: {_in_words(total)} so far")
    return reduce(add, kept[:number], Tally())


def _key(family: Family, detector: Detector) -> str:
    """What a result depends on: the streams, the detector, and how it is measured."""
    parts = (
        fingerprint(family.stream(0)),
        detector.version(),
        detector.codes,
        Path(measure.__file__).read_text("utf-8"),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _in_words(tally: Tally) -> str:
    words = f"{tally.false_incidents} false incidents in {tally.code_days:,.0f} code-days"
    if tally.delays:
        words += f", {len(tally.delays)} changes, median delay {tally.delay_quantile(0.5):.0f} s"
    return f"{words}, {sum(tally.pass_seconds):.0f} s of passes"
