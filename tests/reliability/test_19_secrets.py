"""Promise 19: a secret in a URL or setting is nowhere in what the program says, writes or keeps."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from sqlalchemy.engine import make_url

from streammetrics import config
from streammetrics.errors import ConfigError
from streammetrics.runtime.databases import scrubbed
from streammetrics.store.connection import Store
from tests.ingest.databases.feeding import Sqlite
from tests.postgresql import PASSWORD, Server, postgresql

__all__ = ["postgresql"]

pytestmark = pytest.mark.reliability

REPOSITORY = Path(__file__).parents[2]
SECRET = "hünter2/%40 &x'y"  # noqa: S105 nobody's
FORMS = {SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), repr(SECRET)[1:-1], "hünter2", "nter2"}


def leaks(text: str | bytes, forms: set[str]) -> set[str]:
    found = text if isinstance(text, bytes) else text.encode()
    return {form for form in forms if form.encode() in found}


class Program:
    """The command line in a folder; what it says is kept."""

    def __init__(self, folder: Path, secret: str) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "SECRET_OF_ERRORS": secret}
        self.output: list[str] = []

    def __call__(self, *arguments: str) -> int:
        command = [sys.executable, "-m", "streammetrics", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
        )
        self.output.append(done.stdout + done.stderr)
        return done.returncode

    def everything(self) -> dict[str, bytes]:
        """What was printed, and all files but those that hold the secret because somebody wrote it there."""
        written = {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and path.name not in ("config.toml", "secret")
        }
        return {**written, **{f"output {place}": text.encode() for place, text in enumerate(self.output)}}


def source(name: str, url: str, more: str = "") -> str:
    return f'[[source]]\nname = "{name}"\nurl = "{url}"\ntable = "errors"\ncursor = "id"\n{more}\n'


def found_in(program: Program, forms: set[str]) -> dict[str, set[str]]:
    """Where a form of the secret shows: in output and files, and in tables, which are compressed on disk."""
    everything = program.everything()
    with Store(program.folder / "var" / "streammetrics.duckdb").read() as connection:
        for (table,) in connection.exec_driver_sql("select table_name from duckdb_tables()").all():
            everything[f"table {table}"] = str(connection.exec_driver_sql(f'select * from "{table}"').all()).encode()
    return {name: leaks(content, forms) for name, content in everything.items() if leaks(content, forms)}


def test_wherever_a_database_fails(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    encoded, nowhere = quote(SECRET, safe=""), "127.0.0.1:1/db"
    errors = Sqlite(tmp_path / "e.db")
    errors.add(1, 2, 3, code=lambda number: number if number < 3 else None)
    errors.run("create view broken as select * from nowhere")
    (tmp_path / "secret").write_text(SECRET + "\n", "utf-8")
    sources = [
        source("good", errors.url),
        source("in the URL", f"postgresql+psycopg://reader:{encoded}@{nowhere}"),
        source("as parameter", f"postgresql+psycopg://{nowhere}?user=reader&password={encoded}"),
        source("unknown parameter", f"postgresql+psycopg://reader:{encoded}@{nowhere}?secret_key={encoded}"),
        source("from the environment", f"postgresql+psycopg://reader@{nowhere}", 'password_env = "SECRET_OF_ERRORS"'),
        source("from a file", f"postgresql+psycopg://reader@{nowhere}", 'password_file = "secret"'),
        source("of a driver without passwords", f"{errors.url}?password={encoded}"),
        source("without a driver", f"mysql+pymysql://reader:{encoded}@{nowhere}"),
        source("of no dialect", f"nothing://reader:{encoded}@{nowhere}"),
    ]
    (tmp_path / "config.toml").write_text("\n".join(sources), "utf-8")
    program = Program(tmp_path, SECRET)
    assert program("run") == 74
    for arguments in (["status"], ["status", "--json"], ["export", "batches", "--to", "batches.csv"]):
        assert program(*arguments) == 0
    assert found_in(program, FORMS) == {}
    # The program got as far as it should: each source was tried, and is reported.
    everything = program.everything()
    assert program.output[0].count("cannot be read") == 6
    assert b"pip install 'pymysql'" in everything["output 0"]
    assert len(list(csv.DictReader((tmp_path / "batches.csv").open()))) == 2
    assert "var/streammetrics.duckdb" in everything
    size = sum(map(len, everything.values()))
    record_property("seen", f"{len(sources)} sources, {len(everything)} outputs and files of {size:,} bytes: 0 secrets")


def test_a_real_server(tmp_path: Path, postgresql: Server, record_property: Callable[[str, object], None]) -> None:
    """A password that is right, and one that is wrong."""
    postgresql.run(
        "drop table if exists errors; create table errors as "
        "select n as id, timestamptz '2026-11-23 10:00+00' as ts, '5.9' as build, n as code "
        "from generate_series(1, 9) n"
    )
    wrong = postgresql.url.replace("reader@", f"reader:{quote(SECRET, safe='')}@")
    right = source("right", postgresql.url, 'password_env = "SECRET_OF_ERRORS"')
    (tmp_path / "config.toml").write_text(right + source("wrong", wrong), "utf-8")
    program = Program(tmp_path, PASSWORD)
    assert program("ingest") == 74
    assert program("status", "--json") == 0
    assert found_in(program, FORMS | {PASSWORD, quote_plus(PASSWORD), "battery"}) == {}
    assert "password authentication failed" in program.output[0]
    assert '"records": 9' in program.output[1]
    record_property("seen", f"PostgreSQL: {len(program.everything())} outputs and files: 0 secrets")


MISTAKES = (
    '[[source]]\nname = "s"\nurl = "{url}"\n',
    '[[source]]\nname = "s"\nurl = "{url}"\npath = "*"\ncursor = "id"\ntable = "t"\n',
    '[[source]]\nname = "s"\nurl = ["{url}"]\n',
    '[[source]]\nname = "s"\nurl = "{secret}"\ncursor = "id"\ntable = "t"\n',
    '[[source]]\nname = "s"\nurl = "postgresql://u:{secret}@h:port/db"\ncursor = "id"\ntable = "t"\n',
    '[[source]]\nname = "s"\nurl = {{ a = "{url}" }}\n',
    '[[source]]\nname = "s"\nurll = "{url}"\n',
    '[[source]]\nname = "s"\nurl = "{url}"\ncursor = "id"\ntable = "t"\nportion_rows = "{url}"\n',
    '[[source]]\nname = "s"\nurl = "{url}"\ncursor = "id"\ntable = "t"\npassword_env = "X"\n',
    '[source]\nname = "s"\nurl = "{url}"\n',
    'source = ["{url}"]\n',
    'source = "{url}"\n',
    'url = "{url}"\n',
    '[store]\npath = ["{url}"]\n',
    '[[source]]\nname = "s"\nurl = "{url}\n',
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes_of_the_configuration(tmp_path: Path, mistake: str) -> None:
    encoded = quote(SECRET, safe="")
    path = tmp_path / "config.toml"
    path.write_text(mistake.format(url=f"postgresql://reader:{encoded}@h/db", secret=encoded), "utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(path, {})
    assert leaks(str(caught.value), FORMS) == set()


def test_settings_do_not_show_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(source("s", f"postgresql://reader:{quote(SECRET, safe='')}@h/db"), "utf-8")
    loaded = config.load(path, {})
    assert leaks(f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.model_dump_json()}", FORMS) == set()


@pytest.mark.parametrize(
    "output",
    [
        "could not connect with {raw}", "dsn: postgresql://reader:{encoded}@h/db?x=1", "PWD={raw};Server=h",
        "arg {escaped}", "{plus}", "line one\nline {raw} two", "password = 'other' failed", "x" * 295 + "{raw}",
    ],
)  # fmt: skip
def test_what_a_driver_says_is_scrubbed(output: str) -> None:
    url = make_url(f"postgresql://reader:{quote(SECRET, safe='')}@h/db?sslpassword=nter2")
    text = output.format(raw=SECRET, encoded=quote(SECRET), escaped=repr(SECRET)[1:-1], plus=quote_plus(SECRET))
    assert leaks(scrubbed(text, url), FORMS | {"other"}) == set()
