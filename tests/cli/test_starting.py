"""`init` as a process: the settings that it writes work, it says what it assumed, and it overwrites nothing."""

import gzip
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from streammetrics.cli.starting import filled
from streammetrics.config import Config
from tests.cli.test_cli import REPOSITORY, records, streammetrics

pytestmark = pytest.mark.slow

SHIPPED = (REPOSITORY / "config.toml").read_text(encoding="utf-8")


def test_without_a_file_all_settings_are_written(tmp_path: Path) -> None:
    done = streammetrics(tmp_path, "init")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "config.toml: written; set path of [[source]] to your files, then `streammetrics run`\n"
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == SHIPPED


@pytest.mark.parametrize("arguments", [["init"], ["init", "errors.csv"]])
def test_settings_are_never_overwritten(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "config.toml").symlink_to("nowhere")
    records(tmp_path / "errors.csv", minutes=1)
    done = streammetrics(tmp_path, *arguments)
    assert done.returncode == 2
    assert "config.toml: exists and is never overwritten; move it away, or use another folder" in done.stderr
    assert not (tmp_path / "config.toml").exists()


KEYS: dict[str, object] = {
    "path": 'a "b" # c\\*.csv',
    "format": "tsv",
    "delimiter": "\t",
    "header": False,
    "columns": {"ts": [1, 4], "build": 2, "code": 3},
    "date": "name",
}


def test_found_keys_stand_in_their_lines() -> None:
    text = filled(SHIPPED, KEYS)
    expected = tomllib.loads(SHIPPED)
    expected["source"][0] |= KEYS
    assert tomllib.loads(text) == expected
    assert len(text.splitlines()) == len(SHIPPED.splitlines())
    assert 'date = "name"                        # for times of day without a date; "name": ' in text
    assert '# name = "backend"' in text
    Config.model_validate(expected | {"source": [{**expected["source"][0], "header": False}]} | {"base": Path()})


SELECT = (
    'select ts as "logged at", build as "Größe; \'x\'", code as "what ""it"" was" from read_csv({}, all_varchar = true)'
)


@pytest.mark.parametrize("name", ["e.csv", "e.tsv", "e.jsonl", "e.parquet", "e.data", "semi.txt", "headless.log"])
def test_what_is_written_works(tmp_path: Path, name: str) -> None:
    start = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0) - timedelta(hours=1)
    records(tmp_path / "raw.csv", start=start)
    rows = duckdb.sql(SELECT.format(f"'{tmp_path / 'raw.csv'}'"))
    path = str(tmp_path / name)
    if name == "e.parquet":
        rows.write_parquet(path)
    elif name in ("e.jsonl", "e.data"):
        duckdb.sql(f"copy rows to '{path}' (format json)")
    else:
        separator = {"e.tsv": "\t", "semi.txt": ";"}.get(name, ",")
        rows.write_csv(path, sep=separator, header=name != "headless.log")
    done = streammetrics(tmp_path, "init", name)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr.startswith(f"config.toml: written; its path is {name} alone; check these assumptions:\nformat ")
    assert "without a zone; assumed is timezone 'UTC'" in done.stderr
    assert done.stderr.endswith(
        "builds, in order: 1.9 (1,800 records), 1.10 (2,400 records)\n"
        "comparisons: 1.9 -> 1.10; next: `streammetrics run`\n"
    )
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(["config.toml", "raw.csv", name])
    ran = streammetrics(tmp_path, "run")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "OPENED    code 9 " in ran.stdout


def test_a_file_elsewhere_and_one_build(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    start = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0) - timedelta(hours=1)
    lines = ["at,rel,err", *(f"{start + timedelta(seconds=second)},2026.1,E{second % 3}" for second in range(60))]
    (tmp_path / "e.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    done = streammetrics(folder, "init", "../e.csv.gz")
    assert done.returncode == 0, done.stderr
    assert "builds, in order: 2026.1 (60 records)\n" in done.stderr
    assert "comparisons: none yet: a comparison needs a second build with 20 records that span 30 s; " in done.stderr
    written = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    assert written["source"][0]["path"] == str(tmp_path / "e.csv.gz")
    assert streammetrics(folder, "run").returncode == 0


def test_a_format_of_times_is_written(tmp_path: Path) -> None:
    start = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0) - timedelta(hours=1)
    times = ((start + timedelta(seconds=second)).strftime("%d.%m.%Y %H:%M:%S") for second in range(60))
    (tmp_path / "e.csv").write_text("at,rel,err\n" + "".join(f"{at},2026.1,E{n % 3}\n" for n, at in enumerate(times)))
    done = streammetrics(tmp_path, "init", "e.csv")
    assert done.returncode == 0, done.stderr
    assert ", read by time_format '%d.%m.%Y %H:%M:%S'" in done.stderr
    assert "builds, in order: 2026.1 (60 records)\n" in done.stderr
    written = tomllib.loads((tmp_path / "config.toml").read_text(encoding="utf-8"))
    assert written["source"][0]["time_format"] == "%d.%m.%Y %H:%M:%S"
    assert streammetrics(tmp_path, "run").returncode == 0


def test_a_sample_of_which_nothing_counts_is_reported(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("at,rel,err\n2006-01-01 00:00:00,1.0,7\n")
    done = streammetrics(tmp_path, "init", "e.csv")
    assert done.returncode == 74
    assert "e.csv: no record was accepted: 1 rejected; " in done.stderr
    assert (tmp_path / "config.toml").exists()


def test_a_sample_that_is_not_understood_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("some,words\na,b\n")
    done = streammetrics(tmp_path, "init", "e.csv")
    assert (done.returncode, done.stdout) == (78, "")
    assert "e.csv: no column can be ts; " in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["e.csv"]
