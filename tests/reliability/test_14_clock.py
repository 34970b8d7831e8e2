"""Promise: a clock that is an hour off, or at 1970, makes no bin missed or judged twice, and no record rejected.

What is judged follows the records' own times; the clock decides only how far ahead of it a record may be.
"""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.errors import InputOutputError
from tests.reliability import program
from tests.reliability.conftest import count
from tests.streams import reporting

pytestmark = pytest.mark.reliability

HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1)
FALSE_CLOCK = (
    "the clock shows 1970-01-01 00:00:05: set it; nothing was read, because every record would seem to be in the future"
)
PART_MINUTES, PARTS = 10, count(2, 6)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Records in files of ten minutes."""
    folder = tmp_path_factory.mktemp("parts")
    for part in range(PARTS):
        begin = program.START + timedelta(minutes=part * PART_MINUTES)
        program.records(folder / f"{part}.csv", part, PART_MINUTES, begin)
    return sorted(folder.iterdir())


def follow(folder: Path, parts: Sequence[Path], clocks: Sequence[Callable[[datetime], datetime]]) -> Path:
    """Files come one by one, each read and judged when it is over, by a clock that is as off as is set."""
    program.install(folder)
    for place, (part, clock) in enumerate(zip(parts, clocks, strict=True)):
        shutil.copy(part, folder / "incoming")
        now = clock(program.START + timedelta(minutes=(place + 1) * PART_MINUTES))
        session = Session(program.config(folder), reporting(print), lambda _: None, lambda now=now: now)  # type: ignore[misc]
        if now < EPOCH + HOUR and not place:
            with pytest.raises(InputOutputError, match=FALSE_CLOCK):
                pipeline.ingest(session)
        else:
            pipeline.ingest(session)
        pipeline.detect_once(session, is_final=False, every=False, exit_code=False)
    return folder


def passes(folder: Path) -> list[tuple[object, ...]]:
    """What each pass judged, and what it made of it."""
    with program.store(folder).read() as connection:
        sql = "select scope_start, scope_end, alerts_new, alerts_revised, alerts_retracted from runs order by run_id"
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def right(now: datetime) -> datetime:
    return now


@pytest.fixture(scope="module")
def expected(parts: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a clock that is right."""
    return follow(tmp_path_factory.mktemp("right") / "installation", parts, [right] * PARTS)


@pytest.mark.parametrize("place", [1] if PARTS == 2 else range(PARTS))
def test_the_clock_jumps(
    parts: list[Path],
    expected: Path,
    tmp_path: Path,
    place: int,
    record_property: Callable[[str, object], None],
) -> None:
    wrong: dict[str, Callable[[datetime], datetime]] = {
        "ahead": lambda now: now + HOUR,
        "behind": lambda now: now - HOUR,
        "1970": lambda now: EPOCH + timedelta(seconds=5),
    }
    for name, clock in wrong.items():
        clocks = [*[right] * place, clock, *[right] * (PARTS - 1 - place)]
        folder = follow(tmp_path / name, parts, clocks)
        assert program.stored(folder) == program.stored(expected)
        assert program.alerts(folder) == program.alerts(expected)
        with program.store(folder).read() as connection:
            assert connection.exec_driver_sql("select count(*) from rejects").scalar_one() == 0
        if name != "1970" or place:
            assert passes(folder) == passes(expected), "each bin in the same pass, none in two"
        assert program.findings(folder) == []
        record_property("seen", f"file {place + 1} with the clock {name}: the same passes and alerts")
