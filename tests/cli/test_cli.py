"""The command line as a real process: every command, its help, each exit code, what goes to which stream."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from streammetrics.cli import options
from streammetrics.cli.commands import app
from tests.rules import REFERENCE_TOML

COMMANDS = sorted(command.name or command.callback.__name__ for command in app.registered_commands if command.callback)
REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def streammetrics(
    folder: Path, *arguments: str, stdin: str | None = None, environment: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """The command in `folder`, which it takes for the working directory."""
    return subprocess.run(
        [sys.executable, "-m", "streammetrics", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **(environment or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def records(path: Path, minutes: int = 30, more: int = 40, start: datetime | None = None) -> None:
    """Two builds, a record a second of code 7 each; from the middle on, the new one sends `more` a minute beside them.

    Half of these are of code 9, half of code 7.
    """
    first = start or datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0) - timedelta(hours=1)
    lines = ["ts,build,code"]
    for second in range(minutes * 60):
        moment = first + timedelta(seconds=second)
        lines += [f"{moment},1.9,7", f"{moment},1.10,7"]
        if second >= minutes * 30 and second % 60 < more:
            lines.append(f"{moment},1.10,{7 if second % 2 else 9}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of such records, judged by two rules; made once, for tests that only read it."""
    folder = tmp_path_factory.mktemp("stored")
    (folder / "config.toml").write_text(REFERENCE_TOML)
    records(folder / "errors.csv")
    done = streammetrics(folder, "run", "errors.csv")
    assert done.returncode == 0, done.stderr
    return folder


def test_there_are_the_commands_that_the_readme_names() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    named = [
        line.split()[1].strip("`") for line in readme.splitlines() if line.startswith("| `") and " does" not in line
    ]
    assert set(COMMANDS) <= set(named)
    expected = (
        "backtest backup demo detect doctor explain export generate heatmap ingest init notify query report run "
        "schedule status unload verdict"
    )
    assert expected.split() == COMMANDS


@pytest.mark.parametrize("text", ["2026-11-23T06:00", "2026-11-23 06:00:00 UTC", " 2026-11-23T07:00+01:00"])
def test_times_of_the_command_line_may_be_those_that_are_printed(text: str) -> None:
    assert options.time(text) == datetime(2026, 11, 23, 6)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(tmp_path: Path, command: str) -> None:
    done = streammetrics(tmp_path, command, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert f"Example: streammetrics {command}" in " ".join(done.stdout.split())


def test_without_a_command_the_commands_are_listed(tmp_path: Path) -> None:
    done = streammetrics(tmp_path)
    assert done.returncode == 2
    assert [name for name in COMMANDS if name not in done.stdout + done.stderr] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--colour"], "No such option"),
        (["query", "delete from alerts"], "read"),
        (["query", "select 1; select 2"], "one statement"),
        (["query", "select * from nothing_of_the_kind"], "nothing_of_the_kind"),
        (["query", "select 1", "--format", "xml"], "'xml' is not one of 'table', 'csv', 'jsonl'"),
        (["query"], 'name one statement: `streammetrics query "select ..."`'),
        (["query", "select 1", "--since", "soon"], "'--since': soon: is not a time such as 2026-11-23T06:00"),
        (["export", "nothing_of_the_kind", "--to", "x.csv"], "nothing_of_the_kind"),
        (["export", "alerts", "--to", "x.xlsx"], ".csv"),
        (["heatmap", "--to", "x.gif"], ".png or .svg"),
        (["heatmap", "--to", "x.png", "--rule", "none"], "there are: ratio, difference"),
        (["generate", "--to", "x.txt"], ".csv"),
        (["unload", "9"], "there is no batch 9; "),
        (["unload", "1", "--source", "files"], "name batches, or give --source NAME and --since TIME, not both"),
        (["unload", "--source", "files", "--since", "2999-01-01"], "no batch of source 'files' was loaded since 2999"),
    ],
)
def test_wrong_usage_is_exit_code_2(stored: Path, arguments: list[str], words: str) -> None:
    done = streammetrics(stored, *arguments)
    assert done.returncode == 2, done.stderr
    assert words in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert not list(stored.glob("x.*"))


def test_run_tells_what_opened_then_is_silent(tmp_path: Path) -> None:
    records(tmp_path / "errors.csv")
    first = streammetrics(tmp_path, "run", "errors.csv")
    assert first.returncode == 0
    opened = [line for line in first.stdout.splitlines() if line.startswith("OPENED")]
    assert any("code 9 " in line and "regression" in line and "1.9 -> 1.10" in line for line in opened)
    assert len(list((tmp_path / "var" / "out").glob("heatmap-*.png"))) == 1
    again = streammetrics(tmp_path, "run", "errors.csv")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_run_tells_what_got_worse_and_what_resolved(tmp_path: Path) -> None:
    start = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0) - timedelta(hours=3)
    (tmp_path / "config.toml").write_text(REFERENCE_TOML)
    records(tmp_path / "1.csv", more=30, start=start)
    records(tmp_path / "2.csv", more=60, start=start + timedelta(minutes=30))
    records(tmp_path / "3.csv", more=0, start=start + timedelta(minutes=60))
    shown = [streammetrics(tmp_path, "run", f"{n}.csv", "--json").stdout.splitlines() for n in (1, 2, 3)]
    changes = [
        {(row["change"], row["code"]) for row in map(json.loads, lines) if row["rule"] == "difference"}
        for lines in shown
    ]
    assert ("opened", "9") in changes[0]
    assert ("resolved", "9") in changes[2]
    assert not changes[1] & changes[0]


def test_detect_prints_the_first_alert_of_an_incident(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(REFERENCE_TOML)
    records(tmp_path / "errors.csv", start=datetime(2026, 1, 1, 12))
    assert streammetrics(tmp_path, "ingest", "errors.csv").returncode == 0
    done = streammetrics(tmp_path, "detect", "--exit-code")
    assert done.returncode == 3
    # 8 bins at 1; in two bins 5 seconds of 0.05 x 10 for 0 -> 1 errors beside 5 of 1 / 10.
    assert done.stdout.startswith(
        "ALERT     code 9  since 2026-01-01 12:13:40 to 2026-01-01 12:15:20 UTC  0 -> 10 errors  "
        "ratio mean 1.4, threshold 1.25  1.9 -> 1.10  incident 1\n"
    )
    assert done.stdout.count("ALERT ") == 4
    assert done.stderr == "394 new alerts, 0 revised, 0 retracted; 4 incidents open\n"
    again = streammetrics(tmp_path, "detect")
    assert (again.returncode, again.stdout) == (0, "")


def test_detect_prints_every_alert_or_json_when_requested(tmp_path: Path) -> None:
    records(tmp_path / "errors.csv")
    streammetrics(tmp_path, "ingest", "errors.csv")
    done = streammetrics(tmp_path, "detect", "--all", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    count = streammetrics(tmp_path, "query", "select count(*) as n from alerts", "--format", "csv").stdout.splitlines()[
        1
    ]
    assert len(rows) == int(count) > 20
    assert {"alert_id", "incident_id", "rule", "code", "start_ts", "stop_ts", "value", "threshold"} <= rows[0].keys()


def test_past_20_lines_the_rest_is_counted_by_code(tmp_path: Path) -> None:
    start = datetime(2026, 1, 1)
    lines = ["ts,build,code"]
    for second in range(1200):
        moment = start + timedelta(seconds=second)
        lines += [f"{moment},1,x", f"{moment},2,x", *(f"{moment},2,{code}" for code in range(25))]
    (tmp_path / "errors.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "config.toml").write_text(
        "[[rule]]\nname = 'd'\ndetector = 'mean_difference'\nbin_seconds = 60\nwindow_bins = [5, 10]\nthreshold = 6\n"
    )
    streammetrics(tmp_path, "ingest", "errors.csv")
    done = streammetrics(tmp_path, "detect")
    assert done.stdout.count("ALERT ") == 20
    assert done.stdout.splitlines()[-1] == "... and 5 more incidents, by code: 5 (1), 6 (1), 7 (1), 8 (1), 9 (1)"


def test_input_trouble_is_exit_code_74(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "streammetrics.duckdb").write_text("not a store at all, but long enough to be read as one")
    records(tmp_path / "errors.csv")
    for arguments in (["ingest", "errors.csv"], ["query", "select 1"]):
        done = streammetrics(tmp_path, *arguments)
        assert done.returncode == 74
        assert "streammetrics.duckdb: cannot be opened as a store" in done.stderr


def test_a_store_that_is_not_there_is_reported(tmp_path: Path) -> None:
    done = streammetrics(tmp_path, "query", "select 1")
    assert done.returncode == 74
    assert "there is no store yet" in done.stderr


def test_a_busy_store_is_exit_code_75_with_the_process(stored: Path) -> None:
    records(stored / "more.csv", start=datetime(2026, 1, 1))
    environment = {"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0.3"}
    with duckdb.connect(str(stored / "var" / "streammetrics.duckdb")):
        for arguments in (["ingest", "more.csv"], ["query", "select 1"]):
            done = streammetrics(stored, *arguments, environment=environment)
            assert done.returncode == 75
            assert f"process {os.getpid()} has held the store for 0.3 s; try again later" in done.stderr
    assert streammetrics(stored, "ingest", "more.csv", environment=environment).returncode == 0


@pytest.mark.parametrize("command", [["run"], ["ingest"], ["detect"], ["schedule"], ["status"], ["query", "select 1"]])
def test_a_wrong_configuration_is_exit_code_78(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "config.toml").write_text("[store]\npth = 'x'\n")
    done = streammetrics(tmp_path, *command)
    assert done.returncode == 78
    assert done.stderr == "streammetrics: config.toml: store.pth: unknown key; did you mean 'path'?\n"


def test_columns_that_are_not_found_are_exit_code_78(tmp_path: Path) -> None:
    (tmp_path / "errors.csv").write_text("when,version,what\n2026-01-01 00:00:00,1,7\n")
    done = streammetrics(tmp_path, "ingest", "errors.csv")
    assert done.returncode == 78
    assert "when" in done.stderr
    assert 'columns = { ts = "' in done.stderr


def test_no_file_matched_is_a_line_and_no_failure(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[[source]]\nname = 'clients'\npath = 'incoming/*'\n")
    done = streammetrics(tmp_path, "run")
    assert (done.returncode, done.stdout) == (0, "")
    assert "incoming/*" in done.stderr


def test_a_file_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("when,version,what\n2026-01-01 00:00:00,1,7\n")
    records(tmp_path / "b.csv")
    assert streammetrics(tmp_path, "ingest", "a.csv", "b.csv").returncode == 78
    done = streammetrics(tmp_path, "query", "select path, records from batches", "--format", "csv")
    assert "b.csv" in done.stdout
    assert "a.csv" not in done.stdout


def test_query_and_export_agree(stored: Path) -> None:
    sql = "select code, count(*) as n from alerts group by all order by n desc, code"
    table = streammetrics(stored, "query", sql)
    assert table.stdout.splitlines()[0].split() == ["code", "n"]
    rows = [json.loads(line) for line in streammetrics(stored, "query", sql, "--json").stdout.splitlines()]
    assert streammetrics(stored, "export", "alerts", "--to", "alerts.parquet").returncode == 0
    exported = duckdb.sql(
        f"select code, count(*) as n from '{stored / 'alerts.parquet'}' group by all order by n desc, code"
    )
    assert [(row["code"], row["n"]) for row in rows] == exported.fetchall()


def test_a_reader_that_goes_away_is_no_error(stored: Path) -> None:
    command = f'"{sys.executable}" -m streammetrics query "select * from events" | head -n 1'
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        ["sh", "-c", command], cwd=stored, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_heatmap_prints_the_paths_that_it_wrote(stored: Path) -> None:
    one = streammetrics(stored, "heatmap", "--to", "one.svg", "--rule", "ratio")
    assert one.stdout == "one.svg\n"
    assert (stored / "one.svg").stat().st_size > 0
    both = streammetrics(stored, "heatmap", "--to", "both.png")
    paths = [stored / name for name in both.stdout.splitlines()]
    assert [path.is_file() for path in paths] == [True, True]
    assert [path.name for path in paths] == ["both-difference-1.9-1.10.png", "both-ratio-1.9-1.10.png"]


def test_status_tells_the_same_as_text_and_json(stored: Path) -> None:
    text = streammetrics(stored, "status").stdout
    assert 1 < len(text.splitlines()) <= 10
    assert isinstance(json.loads(streammetrics(stored, "status", "--json").stdout), dict)


def test_generate_is_deterministic(tmp_path: Path) -> None:
    for name in ("a", "b"):
        arguments = ["--to", f"{name}.csv", "--records", "3000", "--seed", "4", "--start", "2026-01-01"]
        arguments += ["--effect", "7=2@60", "--share", "0.3"]
        assert streammetrics(tmp_path, "generate", *arguments).returncode == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    truth = json.loads((tmp_path / "a.truth.json").read_text())
    assert [(one["code"], one["ratio"]) for one in truth["increased"]] == [("7", 2)]


def test_version_is_reported() -> None:
    assert streammetrics(REPOSITORY, "--version").stdout == "streammetrics 0.1.0\n"


def test_demo_finds_exactly_the_truth(tmp_path: Path) -> None:
    done = streammetrics(tmp_path, "demo")
    assert done.returncode == 0, done.stderr
    assert "Rule regression (sequential): exactly the truth" in done.stdout
    assert "Rule difference (mean_difference): exactly the truth" in done.stdout
    pictures = list((tmp_path / "var" / "demo" / "out").glob("*.png"))
    assert [str(path.relative_to(tmp_path)) in done.stdout for path in pictures] == [True, True, True]
    page = done.stdout.rstrip().rpartition("Report of rule regression, to be opened in a browser: ")[2]
    truth = json.loads((tmp_path / "var" / "demo" / "incoming" / "errors.truth.json").read_text(encoding="utf-8"))
    articles = (tmp_path / page).read_text(encoding="utf-8").split("<article ")[1:]
    assert len(articles) == len(truth["increased"])
    for one in truth["increased"]:
        (article,) = (text for text in articles if f'title="{one["code"]}"' in text)
        for question in ("Build", "Since", "Is it over", "How much worse", "Who is hit"):
            assert f"<dt>{question}</dt><dd>" in article, (one["code"], question)
    assert streammetrics(tmp_path, "demo").returncode == 0


def test_demo_deletes_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    done = streammetrics(tmp_path, "demo", "--dir", "precious")
    assert done.returncode == 1
    assert (tmp_path / "precious" / "file").read_text() == "x"


def test_the_cron_entry_points_are_the_commands(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    records(tmp_path / "incoming" / "errors.csv")
    (tmp_path / "config.toml").write_text("[[source]]\nname = 'clients'\npath = 'incoming/*'\n")
    for job in ("ingest.py", "detect.py"):
        done = subprocess.run(
            [sys.executable, REPOSITORY / "jobs" / job, "--config", "config.toml"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ALERT     code 9  ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "--to", "x.csv", "--seed", "-1"],
        ["generate", "--to", "x.csv", "--hours", "1e8"],
        ["generate", "--to", "x.csv", "--start", "9999-12-31T23:59:59"],
        ["explain", "--code", "7", "--at", "9999-12-31T23:59:59"],
        ["query", "select 1", "--since", "0001-01-01T00:00+05:00"],
        ["backtest", "--inject", "code=7,ratio=2,at=0001-01-01T00:00+05:00"],
        ["backtest", "--until", "0001-01-01"],
    ],
)
def test_numbers_and_times_out_of_range_are_reported(stored: Path, arguments: list[str]) -> None:
    done = streammetrics(stored, *arguments)
    assert done.returncode in (0, 2), done.stderr
    assert "Traceback" not in done.stderr


def test_backtest_ends_with_the_last_record(stored: Path) -> None:
    """Years without any would take their time."""
    ends = [
        streammetrics(stored, "backtest", "--until", until, "--json").stdout for until in ("2060-01-01", "2999-01-01")
    ]
    assert ends[0] == ends[1] != ""


def test_a_terminal_that_knows_ascii_alone_is_shown_every_name(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(REFERENCE_TOML)
    records(tmp_path / "errors.csv")
    text = (tmp_path / "errors.csv").read_text()
    (tmp_path / "errors.csv").write_text(text.replace(",9\n", ",Ω\n"), encoding="utf-8")
    done = streammetrics(tmp_path, "run", "errors.csv", environment={"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
    assert done.returncode == 0, done.stderr
    assert "code \\u03a9" in done.stdout


def test_doctor_repairs_no_store_that_is_not_there(tmp_path: Path) -> None:
    done = streammetrics(tmp_path, "doctor", "--repair")
    assert done.returncode == 74
    assert "there is no store yet" in done.stderr
    assert list(tmp_path.rglob("*.duckdb")) == []


def test_signs_in_the_path_of_the_settings_are_no_wildcards(tmp_path: Path) -> None:
    folder = tmp_path / "jobs [a] *"
    folder.mkdir()
    (folder / "config.toml").write_text('[[source]]\nname = "s"\npath = "in/*.csv"\n' + REFERENCE_TOML)
    (folder / "in").mkdir()
    records(folder / "in" / "errors.csv")
    done = streammetrics(tmp_path, "run", "--config", str(folder / "config.toml"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "OPENED" in done.stdout
    checked = streammetrics(tmp_path, "doctor", "--config", str(folder / "config.toml"))
    assert checked.returncode == 0, checked.stdout


def test_data_are_exact_whatever_the_locale_knows(stored: Path) -> None:
    latin = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "streammetrics", "query", "select 'Ω' as code", "--format", "csv"],
        cwd=stored, env={**os.environ, "PYTHONPATH": str(REPOSITORY), **latin}, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.decode("utf-8").split() == ["code", "Ω"]


def test_an_empty_spool_is_no_news(tmp_path: Path) -> None:
    folder = tmp_path / "a [b]"
    (folder / "in").mkdir(parents=True)
    source = '[[source]]\nname = "s"\npath = "{}/*.csv"\nafter = "delete"\n'
    (folder / "config.toml").write_text(source.format("in") + REFERENCE_TOML)
    assert streammetrics(folder, "run").stderr == ""
    (folder / "config.toml").write_text(source.format("inn") + REFERENCE_TOML)
    assert "no file matches" in streammetrics(folder, "run").stderr


def test_a_report_prints_the_path_of_its_page(stored: Path, tmp_path: Path) -> None:
    done = streammetrics(stored, "report", "--to", str(tmp_path / "page"))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path}/page/index.html\n", "")
    assert "<title>" in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")


def test_before_the_first_pass_there_is_nothing_to_draw(tmp_path: Path) -> None:
    records(tmp_path / "errors.csv")
    streammetrics(tmp_path, "ingest", "errors.csv")
    done = streammetrics(tmp_path, "heatmap", "--to", "x.png")
    assert done.returncode == 2
    assert "nothing to draw" in done.stderr


def test_what_was_loaded_by_a_wrong_setting_is_unloaded_and_read_again(tmp_path: Path) -> None:
    start = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0) + timedelta(minutes=10)
    records(tmp_path / "errors.csv", start=start)
    # What is an hour apart is not one incident.
    source = '[detect]\nreopen_seconds = 0\n[[source]]\nname = "clients"\npath = "errors.csv"\n'
    (tmp_path / "config.toml").write_text(source)
    first = streammetrics(tmp_path, "run")
    assert [line.split()[0] for line in first.stdout.splitlines()] == ["OPENED"]
    assert "timezone = 'UTC' of [[source]] 'clients' wrong? `streammetrics unload 1`, correct it" in first.stderr
    with duckdb.connect(str(tmp_path / "var" / "streammetrics.duckdb")):
        busy = streammetrics(tmp_path, "unload", "1", environment={"STREAMMETRICS_STORE_LOCK_WAIT_SECONDS": "0.2"})
    assert (busy.returncode, busy.stdout) == (75, "")
    done = streammetrics(tmp_path, "unload", "--source", "clients", "--since", "2020-01-01", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["batch_id"], shown["path"], shown["records"]) == (1, str(tmp_path / "errors.csv"), 4200)
    assert done.stderr.startswith("1 batch unloaded, 4,200 records; the next ingest reads them again")
    (tmp_path / "config.toml").write_text(source + 'timezone = "Etc/GMT-1"\n')
    again = streammetrics(tmp_path, "run")
    assert (again.returncode, again.stderr) == (0, "")
    assert sorted(line.split()[0] for line in again.stdout.splitlines()) == ["OPENED", "WITHDRAWN"]


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "words"),
    [
        (("query", "select '\udcff'"), {}, 2, r"select '\xff': is not UTF-8; use another name, or rename the file"),
        (("export", "events", "--to", "e\udce9.csv"), {}, 2, r"e\xe9.csv: is not UTF-8"),
        (("backup", "--to", "b\udce9.duckdb"), {}, 2, r"b\xe9.duckdb: is not UTF-8"),
        (("generate", "--to", "g\udce9.csv"), {}, 2, r"g\xe9.csv: is not UTF-8"),
        (("ingest", "caf\udce9.csv"), {}, 74, r"caf\xe9.csv: its name is not UTF-8: rename it"),
        (
            ("run",),
            {"STREAMMETRICS_STORE_PATH": "s\udce9.duckdb"},
            78,
            r"STORE_PATH: s\xe9.duckdb: is not UTF-8",
        ),
    ],
)
def test_what_is_not_utf8_is_named_with_escapes(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], code: int, words: str
) -> None:
    done = streammetrics(tmp_path, *arguments, environment=environment)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
