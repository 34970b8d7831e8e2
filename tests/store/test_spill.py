"""Where DuckDB spills: a folder for each process, gone afterwards, and a bound on its size."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streammetrics.errors import InputOutputError, UsageError
from streammetrics.query import statement
from streammetrics.store import spill
from streammetrics.store.connection import Store

SPILLING = "select count(*), sum(a) from (select a, row_number() over (order by hash(a)) as n from range({n}) as t (a))"

PROCESS = """
import sys
from pathlib import Path
from streammetrics.query import statement as query
from streammetrics.store.connection import Store
print(query.run(Store(Path(sys.argv[1]), memory_limit="30MB"), sys.argv[2]).rows, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "a[1].duckdb", memory_limit="30MB")
    with store.write():
        pass
    return store


def folders(store: Store) -> list[Path]:
    return [path for path in store.path.parent.iterdir() if ".spill-" in path.name]


def start(store: Store, sql: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", PROCESS, str(store.path), sql], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_each_process_has_a_folder_of_its_own_while_it_has_the_store(store: Store) -> None:
    setting = "select current_setting('temp_directory')"
    with store.read() as connection:
        (mine,) = folders(store)
        assert connection.exec_driver_sql(setting).scalar_one() == str(mine)
        out, _ = start(store, setting).communicate(timeout=60)
        assert f"{store.path}.spill-" in out
        assert str(mine) not in out
        assert folders(store) == [mine]
    assert folders(store) == []


@pytest.mark.slow
def test_queries_that_spill_at_once_answer_right_and_leave_nothing(store: Store) -> None:
    count = 1_500_000
    processes = [start(store, SPILLING.format(n=count + place)) for place in range(2)]
    for place, process in enumerate(processes):
        out, _ = process.communicate(timeout=120)
        n = count + place
        assert (process.returncode, out) == (0, f"[({n}, {n * (n - 1) // 2})]\n")
    assert folders(store) == []
    assert not Path(f"{store.path}.tmp").exists()


def test_a_query_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(UsageError, match="enough"):
        statement.run(
            store, f"select case when a > 0 then error('enough') end from ({SPILLING.format(n=1_500_000)}) as s (a, b)"
        )
    assert folders(store) == []


@pytest.mark.slow
def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else(store: Store) -> None:
    killed = start(store, SPILLING.format(n=100_000_000))
    while not any(list(folder.iterdir()) for folder in folders(store)):
        assert killed.poll() is None
        time.sleep(0.01)
    (spilled,) = folders(store)
    killed.send_signal(signal.SIGSTOP)
    with store.read():
        assert spilled in folders(store)
        assert list(spilled.iterdir())
    killed.kill()
    killed.communicate()
    assert folders(store) == [spilled]
    own = Path(f"{store.path}.spill-abcdefgh")
    own.mkdir()
    (own / "letter.txt").touch()
    elsewhere = store.path.parent / "elsewhere"
    elsewhere.mkdir()
    Path(f"{store.path}.spill-12345678").symlink_to(elsewhere)
    with store.read():
        pass
    assert sorted(path.name[-8:] for path in folders(store)) == ["12345678", "abcdefgh"]
    assert elsewhere.exists()


def test_a_runaway_query_ends_at_its_part_of_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "bound", lambda _: "set max_temp_directory_size = '5MiB'")
    message = (
        r"needs more than 5\.0 MiB on disk, a quarter of what was free: make room on the disk, .* --since and --until"
    )
    with pytest.raises(InputOutputError, match=message):
        statement.run(store, SPILLING.format(n=3_000_000))
    assert folders(store) == []


def test_the_bound_is_a_quarter_of_what_is_free(store: Store) -> None:
    with store.read(locked_down=True) as connection:
        (found,) = connection.exec_driver_sql("select current_setting('max_temp_directory_size')").one()
        (folder,) = folders(store)
        connection.rollback()
        number, unit = found.split()
        quarter = int(spill.bound(folder).split("'")[1].removesuffix("KiB")) / 1024 ** {"MiB": 1, "GiB": 2}[unit]
        assert float(number) == pytest.approx(quarter, rel=0.05)


def test_without_a_folder_nothing_is_spilled(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> str:
        raise PermissionError

    monkeypatch.setattr(spill, "mkdtemp", refused)
    assert statement.run(store, "select 1").rows == [(1,)]
    with pytest.raises(Exception, match=r"--since and --until, or raise \[store\] memory_limit"):
        statement.run(store, SPILLING.format(n=3_000_000))
