"""What a cluster does with files, by DuckDB on this machine: the statements are the same, the rest is for tests."""

import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest

from streammetrics.config import EngineSettings
from streammetrics.engine import cluster_files
from streammetrics.engine.cluster_files import ClusterFile
from streammetrics.engine.spark import UnreadableFileError

BLOCK_LINES = 7
"""Files are cut into blocks of so many lines, which have ids of their own."""


OPENED: list[duckdb.DuckDBPyConnection] = []


def close() -> None:
    """Close what loads have opened."""
    while OPENED:
        OPENED.pop().close()


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put it in the place of the cluster."""
    monkeypatch.setattr(cluster_files, "listed", listed)
    monkeypatch.setattr(cluster_files, "first_lines", first_lines)
    monkeypatch.setattr(cluster_files, "contents", contents)
    monkeypatch.setattr("streammetrics.ingest.cluster_loading.Load", LocalLoad)


def listed(_settings: EngineSettings, pattern: str) -> list[ClusterFile]:
    paths = sorted(Path(pattern).parent.glob(Path(pattern).name))
    found = [(str(path), path.stat()) for path in paths if path.is_file()]
    return [
        # As Spark has it, to the millisecond.
        ClusterFile(path, f"file://{path}", stat.st_size, stat.st_mtime_ns // 1_000_000 * 1_000_000)
        for path, stat in found
        if stat.st_size
    ]


def lines_of(path: str) -> list[bytes]:
    content = Path(path).read_bytes()
    content = gzip.decompress(content) if path.endswith(".gz") else content
    found = re.split(rb"\r\n|\r|\n", content.removeprefix(b"\xef\xbb\xbf"))
    return found[:-1] if found[-1] == b"" else found


def first_lines(_settings: EngineSettings, path: str, number: int) -> list[bytes]:
    return lines_of(path)[:number]


def contents(_settings: EngineSettings, files: Sequence[ClusterFile], *, are_texts: bool) -> dict[str, tuple[int, str]]:
    assert are_texts
    for file in files:
        if b"unreadable" in Path(file.path).read_bytes():
            raise UnreadableFileError(f"the cluster failed at {cluster_files.shown(files)}: it is unreadable")
    found = {file.uri: lines_of(file.path) for file in files}
    return {
        uri: (len(lines), sha256(b"\n".join(sorted(lines))).hexdigest()[:16]) for uri, lines in found.items() if lines
    }


class LocalLoad:
    """As `cluster_load.Load`, for texts."""

    def __init__(
        self, settings: EngineSettings, load: str, files: Sequence[ClusterFile], columns: Mapping[str, str] | None
    ) -> None:
        assert columns is None
        self.files = files
        self.connection = duckdb.connect()
        OPENED.append(self.connection)
        self.connection.execute("set timezone = 'UTC'")
        self.folder = Path(f"{settings.warehouse}/events/load={load}")
        self.lines: dict[tuple[int, int], bytes] = {}

    def read(self, text: str, parameters: Mapping[str, object]) -> None:
        self.folder.mkdir(parents=True)
        rows = []
        for place, file in enumerate(self.files):
            for number, line in enumerate(lines_of(file.path)):
                block, key = divmod(number, BLOCK_LINES)
                key += (block * 31 + place) << 33
                self.lines[place, key] = line
                shown = line.decode(errors="replace")
                rows.append((place, block * 1000, key, shown, shown.encode() == line))
        self.connection.execute(
            "create table lines (place bigint, block bigint, id bigint, text text, is_utf8 boolean)"
        )
        self.connection.executemany("insert into lines values (?, ?, ?, ?, ?)", rows or [(-1, 0, 0, "", False)])
        named = {name: value for name, value in parameters.items() if re.search(rf"\${name}\b", text)}
        self.connection.execute(f"create table found as\n{text}", named)
        self.connection.execute("delete from found where place < 0")

    def blocks(self) -> list[tuple[Any, ...]]:
        query = """
            select
                place, block, count(*), min(id), count(ts), min(ts), max(ts), coalesce(sum(strlen(text)), 0)
            from found group by place, block order by place, block
        """
        return self.connection.execute(query).fetchall()

    def others(self) -> list[tuple[Any, ...]]:
        found = self.connection.execute("select place, block, id from found where day is null order by all").fetchall()
        return [(place, block, key, self.lines[place, key]) for place, block, key in found]

    def count(self, places: Iterable[int]) -> dict[date, int]:
        found = self.connection.table("found").filter(f"day is not null and list_contains({list(places)}, place)")
        second = "date_trunc('second', ts) as second"
        found.aggregate(f"day, place, {second}, build, code, count(*) as errors").create("counted")
        return dict(self.connection.table("counted").aggregate("day, count(*)").fetchall())

    def counters(self, day: date, first: datetime, until: datetime) -> Any:
        found = self.connection.table("counted")
        found = found.filter(f"day = '{day}' and second >= '{first}' and second < '{until}'")
        return found.project("place, second, build, code, errors").to_arrow_table()
