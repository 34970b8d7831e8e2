"""Small stores on disk, filled and judged; for tests of what reads them."""

from datetime import datetime
from pathlib import Path

from streammetrics.config import Config
from streammetrics.detect import passes
from streammetrics.store.connection import Store
from tests.oracles.mean_rules import Record
from tests.rules import REFERENCE
from tests.streams import MONDAY, load

NOW = datetime(2026, 11, 23, 12)
HOSTILE = "=cmd|' /C calc'!A0\x1b[31m"
"""A code that a spreadsheet would run and a terminal would obey."""


def loaded(path: Path, records: list[Record]) -> Store:
    """A store of these records, not judged."""
    store = Store(path, lock_wait_seconds=1)
    with store.write() as connection:
        load(connection, records)
    return store


def history(path: Path, records: list[Record], config: Config | None = None) -> Store:
    """A store of these records, judged by `config` or the reference rules."""
    store = loaded(path, records)
    with store.write() as connection:
        passes.judge(connection, config or Config(rule=REFERENCE), lambda: NOW)
    return store


def regression(seconds: int = 1200) -> list[Record]:
    """From Monday midnight two builds send code 7 each second; in the second half the new one sends code -17 as well.

    A hostile code comes once, from the new build, in the last second.
    """
    records = [Record(MONDAY + second, build, "7") for second in range(seconds) for build in ("1.9", "1.10")]
    records += [Record(MONDAY + second, "1.10", "-17") for second in range(seconds // 2, seconds)]
    return [*records, Record(MONDAY + seconds - 1, "1.10", HOSTILE)]
