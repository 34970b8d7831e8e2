"""What a run says of what it read."""

from datetime import datetime
from pathlib import Path

import pytest

from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import Config, Source, StoreSettings
from streammetrics.errors import ConfigError
from tests.streams import reporting

NOON = datetime(2026, 11, 28, 12)


def messages(folder: Path, **settings: str) -> list[str]:
    """What an ingest of all files of the folder says."""
    source = Source(name="clients", path="*.csv", **settings)  # type: ignore[arg-type]
    config = Config(base=folder, store=StoreSettings(path="s.duckdb"), source=(source,))
    lines: list[str] = []
    pipeline.ingest(Session(config, reporting(lines.append), clock=lambda: NOON))
    return lines


@pytest.mark.parametrize("files", [1, 2])
def test_times_of_another_spelling_in_a_file_are_named_with_the_setting_that_reads_them(
    tmp_path: Path, files: int
) -> None:
    for number in range(files):
        text = f"2026-11-28 11:00:0{number},1.0,7\n28.11.2026 11:00:01,1.0,7\n28.11.2026 11:00:02,1.0,7\nx,,7\n"
        (tmp_path / f"{number}.csv").write_text(f"ts,build,code\n{text}")
    lines = messages(tmp_path)
    assert lines[:-1] == [
        f"{tmp_path / f'{number}.csv'}: 1 accepted, 3 rejected; line 3: time cannot be read" for number in range(files)
    ]
    assert lines[-1] == (
        f"[[source]] 'clients': {2 * files} times in an unknown form, the first in line 3 of "
        f"{tmp_path / '0.csv'}; if all times of the source are written like that, set its time_format, such as "
        'time_format = "%d.%m.%Y %H:%M:%S"; `streammetrics unload` has the file read again'
    )


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ("2026-11-28 11:00:00,1.0,7\n2026-11-28,1.0,7\n", {}),
        ("2026-11-28 11:00:00,1.0,7\n2026-11-28 11:00:00,,7\n", {}),
        ("28.11.2026 11:00:00,1.0,7\n2026-11-28 11:00:00,1.0,7\n", {"time_format": "%d.%m.%Y %H:%M:%S"}),
        ("28.11.2026 11:00:00,1.0,7\n", {}),
    ],
)
def test_nothing_is_reported_about_time_format_where_it_would_not_help_or_is_named_anyway(
    tmp_path: Path, lines: str, settings: dict[str, str]
) -> None:
    (tmp_path / "a.csv").write_text(f"ts,build,code\n{lines}")
    (line,) = messages(tmp_path, **settings)
    assert line.startswith(str(tmp_path / "a.csv"))


@pytest.mark.parametrize("path", ["*", "**/s.duck*", "sub/../*", "s.duckdb"])
def test_a_path_that_holds_the_store_itself_is_refused(tmp_path: Path, path: str) -> None:
    """What opens the store's file a second time, and closes it, loses its lock."""
    source = Source(name="clients", path=path, format="csv", after="delete")
    config = Config(base=tmp_path, store=StoreSettings(path="s.duckdb"), source=(source,))
    (tmp_path / "a.csv").write_text("ts,build,code\n2026-11-28 11:00:00,1.0,7\n")
    session = Session(config, reporting(print), clock=lambda: NOON)
    if ".." in path:
        assert pipeline.ingest(session) == 74
        return
    for named in ([], [tmp_path / "s.duckdb"]):
        with pytest.raises(ConfigError, match=r"holds the store itself, .*s\.duckdb: nothing was read"):
            pipeline.ingest(session, named)
    assert {found.name for found in tmp_path.iterdir()} >= {"a.csv", "s.duckdb"}


def test_a_store_beside_what_is_read_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ts,build,code\n2026-11-28 11:00:00,1.0,7\n")
    assert messages(tmp_path) == []


@pytest.mark.parametrize("path", [".", "./", "/"])
def test_a_folder_is_no_file(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    config = Config(base=tmp_path, store=StoreSettings(path="s.duckdb"), source=(Source(name="clients", path=path),))
    session = Session(config, reporting(lines.append), clock=lambda: NOON)
    for paths in ([], [Path(path)]):
        assert pipeline.ingest(session, paths) == 74
    assert [": is a folder; name its files, such as " in line for line in lines] == [True, True]
