"""A release replayed minute by minute through `run`: what is broken from the first record on is reported soon."""

import random
from pathlib import Path

import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Config, StoreSettings
from tests.oracles.mean_rules import Record
from tests.sequential_streams import NEW, OLD, Feed, Flow
from tests.streams import MONDAY, moment_of, reporting

OLDER = "5.8"
MINUTE = 60
CALM = tuple(Flow(f"C{place}", 0.3) for place in range(12))


def opened_after(tmp_path: Path, broken: Flow, minutes: int, before: int) -> int | None:
    """The minute of the release whose `run` opens an incident of the broken code, and of no other.

    Args:
        before: for so many minutes before the release an earlier pair of builds was compared.
    """
    dice = random.Random(2)
    start, seconds = before * MINUTE, (before + minutes) * MINUTE
    flows = (*CALM, broken)
    records = [*Feed(OLD).records(flows, seconds, dice), *Feed(NEW, start).records(flows, seconds, dice)]
    records += Feed(OLDER).records(flows, start, dice) if before else []
    by_minute: dict[int, list[Record]] = {}
    for record in records:
        by_minute.setdefault((record.second - MONDAY) // MINUTE, []).append(record)
    now = [0]
    printed: list[str] = []
    config = Config(store=StoreSettings(path="s.duckdb"), base=tmp_path)
    session = Session(config, reporting(lambda _: None), printed.append, lambda: moment_of(now[0]))
    for minute in range(before + minutes):
        now[0] = MONDAY + (minute + 1) * MINUTE
        # What came before the release is read at once.
        if minute + 1 < before:
            continue
        due = range(before) if minute + 1 == before else (minute,)
        rows = [record for number in due for record in by_minute.get(number, [])]
        lines = "".join(f"{moment_of(r.second)},{r.build},{r.code}\n" for r in sorted(rows))
        (tmp_path / f"{minute}.csv").write_text(f"ts,build,code\n{lines}")
        assert pipeline.run(session, [tmp_path / f"{minute}.csv"], is_final=False, exit_code=False) == 0
        opened = [line.split()[2] for line in printed if line.startswith("OPENED")]
        if opened:
            assert opened == [broken.code]
            return minute + 1 - before
    return None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "ratio", "before", "latest"),
    [(1, 10, 0, 3), (1, 10, 60, 3), (1, 3, 0, 7), (1, 3, 60, 3), (0.05, 20, 0, 7), (0.05, 20, 60, 3)],
)
def test_what_is_broken_from_the_first_record_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: float, ratio: float, before: int, latest: int
) -> None:
    """Minutes, one of the replay included: 2 and 6 without an earlier comparison, 2 with one."""
    monkeypatch.setattr("streammetrics.cli.outputs._draw", lambda session: 0)
    found = opened_after(tmp_path, Flow("7", rate, ratio, since=before * MINUTE), 10, before)
    assert found is not None
    assert found <= latest
