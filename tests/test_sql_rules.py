"""What holds for every view of sql/: its header is true, it reads downwards, and it keeps to the portable subset."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import sqlglot
from sqlglot import exp

from streammetrics.config import Rule, SequentialRule
from streammetrics.store import schema, views

SQL = Path(__file__).parents[1] / "sql"
CASES = Path(__file__).parent / "sql"
FILES = sorted((SQL / "views").glob("*.sql"))
STATEMENTS = sorted(path for folder in ("jobs", "reports", "checks") for path in (SQL / folder).glob("*.sql"))
BASE_TABLES = frozenset(re.findall(r"create table (\w+)", " ".join(s for v in schema.migrations() for s in v)))

# What one of the two engines lacks, or does differently.
FORBIDDEN = (
    r"\b(un)?pivot\b",
    r"\basof\b",
    r"\bqualify\b",
    r"\blambda\b",
    r"->",
    r"\b(list|array_agg|list_\w+)\s*\(",
    r"\b(time_bucket|to_timestamp|epoch_(us|ms|ns)|to_seconds|make_timestamp)\b",
    r"\b(log|lgamma)\s*\(",
    r"\bregexp_replace\b",
    r"\bgetvariable\b",
    r"\b(group|order) by all\b",
    r"\bdistinct on\b",
    r"\b(anti|semi|positional|natural) join\b",
    r"\bover \(\w+ (order by|rows|range)\b",
)
WHOLE_SECONDS = re.compile(r"second|\w+_second|start_ts|stop_ts|end_ts|judged_ts|judged_until|settled_until")
NEVER_ZERO = ("bin_seconds", "window_bins", "step_seconds")

# Ratios of a grid are 1 and more, and a day has bins.
ALWAYS_POSITIVE = ("rate_ratio", "min_ratio", "day_bins")


def name(path: Path) -> str:
    return path.stem.split("_", 1)[1]


def number(path: Path) -> int:
    return int(path.stem.split("_", 1)[0])


def code(path: Path) -> str:
    """The file's text without comments."""
    return re.sub(r"--.*", "", path.read_text(encoding="utf-8"))


@cache
def parse(path: Path) -> exp.Query:
    """The syntax tree of a file: shared, so that who changes it takes a copy."""
    statements = sqlglot.parse(path.read_text(encoding="utf-8"), read="duckdb")
    assert len(statements) == 1, "one query a file"
    assert isinstance(statements[0], exp.Query)
    return statements[0]


def header(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[: next(i for i, line in enumerate(lines) if not line.startswith("--"))]


def listed(path: Path, line: int) -> list[str]:
    return header(path)[line].split(": ", 1)[1].split(", ")


def sources(path: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Of each CTE, then of the final SELECT: what it reads from outside the file, and from CTEs before it."""
    tree = parse(path).copy()
    ctes = [cte.alias for cte in tree.ctes]
    queries = [cte.this for cte in tree.ctes]
    for cte in list(tree.ctes):
        cte.pop()
    for place, query in enumerate([*queries, tree]):
        tables = list(dict.fromkeys(table.name for table in query.find_all(exp.Table)))
        yield [t for t in tables if t not in ctes[:place]], [t for t in tables if t in ctes[:place]]


def takes_all(query: exp.Expression) -> bool:
    """It is `select * from x`, perhaps with a WHERE, and nothing else."""
    parts = {part for part, value in query.args.items() if value}
    is_star = [type(column) for column in query.expressions] == [exp.Star]
    return is_star and parts <= {"expressions", "from", "from_", "where"}


def only_repeats(query: exp.Expression) -> bool:
    """It is columns of one relation or CTE as they are, and all of its rows."""
    parts = {part for part, value in query.args.items() if value}
    is_plain = all(isinstance(column, exp.Star | exp.Column) for column in query.expressions)
    return is_plain and parts <= {"expressions", "from", "from_"}


@cache
def reads(path: Path) -> frozenset[str]:
    return frozenset(table for outside, _ in sources(path) for table in outside)


def problems(of_file: Callable[[Path], Iterable[str]]) -> list[str]:
    """What a rule finds wrong in all files."""
    return [f"{path.name}: {problem}" for path in FILES for problem in of_file(path)]


def test_relations_that_a_text_reads_are_found_by_its_words() -> None:
    def differing() -> Iterator[str]:
        for path in [*FILES, *STATEMENTS]:
            text = path.read_text(encoding="utf-8")
            tree = sqlglot.parse_one(text, read="duckdb")
            if isinstance(tree, exp.Query):
                read = {table.name for table in tree.find_all(exp.Table) if not table.db}
                yield from (views.read_by(text) ^ read) & views.relations().keys()

    assert list(differing()) == []


def test_a_history_is_judged_again_by_other_sql_and_not_by_other_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    real, as_it_is = views.relations(), views.text_hash()

    def hashed(name: str, more: str) -> str:
        changed = {**real, name: replace(real[name], text=real[name].text + more)}
        monkeypatch.setattr(views, "relations", lambda: changed)
        return views.text_hash.__wrapped__()

    assert hashed("gains", "-- A comment.\n") == hashed("new_codes", "limit 1\n") == as_it_is
    assert hashed("gains", "limit 1\n") != as_it_is


def test_files_are_named_by_floor_and_relation() -> None:
    assert [path.name for path in FILES if not re.fullmatch(r"[1-9]\d_[a-z]+(_[a-z]+)*\.sql", path.name)] == []


def test_files_are_short() -> None:
    assert [path.name for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > 92] == []


def test_headers_have_their_four_lines() -> None:
    shape = (r"-- [A-Z].*\.", r"-- Grain: .*\.", r"-- Reads: \w+(, \w+)*", r"-- Feeds: \w+(, \w+)*")
    assert [path.name for path in FILES if not re.fullmatch("\n".join(shape), "\n".join(header(path)))] == []


def test_headers_name_what_is_read_and_fed() -> None:
    named = {path.name: (sorted(listed(path, 2)), sorted(listed(path, 3))) for path in FILES}
    fed = {path: sorted(name(other) for other in FILES if name(path) in reads(other)) for path in FILES}
    assert named == {path.name: (sorted(reads(path)), fed[path] or ["people"]) for path in FILES}


def test_views_read_only_lower_floors_and_base_tables() -> None:
    below = {path: BASE_TABLES | {name(other) for other in FILES if number(other) < number(path)} for path in FILES}
    assert {path.name: reads(path) - below[path] for path in FILES if reads(path) - below[path]} == {}


def misleading_ctes(path: Path) -> Iterator[str]:
    queries = [(cte.alias, *read) for cte, read in zip(parse(path).ctes, sources(path), strict=False)]
    hides = [alias in reads(path) for alias, _, _ in queries]
    if hides != sorted(hides, reverse=True):
        yield "a CTE with the name of a relation comes first"
    for query, is_hiding in zip(queries, hides, strict=True):
        if is_hiding and query[1:] != ([query[0]], []):
            yield f"{query[0]} is no part of that relation alone"


def test_a_cte_with_the_name_of_a_relation_reads_that_alone() -> None:
    """Such a CTE hides the relation; it comes first, so that the name means the same in the whole file."""
    assert problems(misleading_ctes) == []


def test_no_cte_only_repeats_columns_of_a_relation() -> None:
    assert problems(lambda path: [cte.alias for cte in parse(path).ctes if only_repeats(cte.this)]) == []


def stars(path: Path) -> Iterator[str]:
    tree = parse(path)
    reads_outside = [bool(outside) for outside, _ in sources(path)]
    imports = [cte.this for cte, is_import in zip(tree.ctes, reads_outside, strict=False) if is_import]
    for star in tree.find_all(exp.Star):
        is_all_of_an_import = any(star.parent is query for query in imports if takes_all(query))
        if not isinstance(star.parent, exp.Count) and not is_all_of_an_import:
            yield str(star.parent)


def test_columns_are_explicit() -> None:
    """Only an import may take all that its relation has, and leave rows out."""
    assert problems(stars) == []


def test_letters_are_lower_case() -> None:
    texts = {path.name: re.sub(r"'[^']*'", "''", code(path)) for path in FILES}
    assert [name for name, text in texts.items() if text != text.lower()] == []


def test_constructs_are_portable() -> None:
    assert problems(lambda path: [one for one in FORBIDDEN if re.search(one, code(path))]) == []


def moving_bounds(path: Path) -> Iterator[str]:
    for spec in parse(path).find_all(exp.WindowSpec):
        for bound in (spec.args["start"], spec.args["end"]):
            if not isinstance(bound, exp.Literal) and bound not in ("UNBOUNDED", "CURRENT ROW"):
                yield str(bound)


def test_window_frames_have_constant_bounds() -> None:
    assert problems(moving_bounds) == []


def epochs_with_fractions(path: Path) -> Iterator[str]:
    for epoch in parse(path).find_all(exp.TimeToUnix):
        names = [column.name for column in epoch.find_all(exp.Column)]
        whole = all(WHOLE_SECONDS.fullmatch(column) for column in names)
        if not whole and not isinstance(epoch.parent, exp.Floor):
            yield f"floor(epoch({names})) is meant"


def test_fractions_of_seconds_are_cut_the_same_everywhere() -> None:
    assert problems(epochs_with_fractions) == []


def divisions_by_zero(path: Path) -> Iterator[str]:
    for division in parse(path).find_all(exp.Div):
        by = division.expression
        if not isinstance(by, exp.Nullif | exp.Literal) and by.name not in NEVER_ZERO:
            yield division.sql("duckdb")


def test_no_division_meets_a_zero() -> None:
    assert problems(divisions_by_zero) == []


def logarithms_of_zero(path: Path) -> Iterator[str]:
    for logarithm in parse(path).find_all(exp.Ln):
        # The greatest of several is positive where the first is.
        argument = logarithm.this.this if isinstance(logarithm.this, exp.Greatest) else logarithm.this
        is_one_and_more = isinstance(argument, exp.Add) and argument.this.sql() == "1"
        text = argument.name if isinstance(argument, exp.Column) else argument.sql()
        is_positive = isinstance(argument, exp.Literal | exp.Count) or text in ALWAYS_POSITIVE
        if not is_one_and_more and not is_positive:
            yield logarithm.sql("duckdb")


def test_no_logarithm_meets_a_zero() -> None:
    """In DuckDB it is an error that no condition beside it prevents: the argument must be positive by itself."""
    assert problems(logarithms_of_zero) == []


def test_every_file_translates_to_spark() -> None:
    for path in FILES:
        (text,) = sqlglot.transpile(
            path.read_text(encoding="utf-8"), read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE
        )
        translated = sqlglot.parse_one(text, read="spark")
        assert isinstance(translated, exp.Query), path.name
        assert translated.named_selects == parse(path).named_selects, path.name


def test_every_relation_has_a_case() -> None:
    assert [path.name for path in FILES if not list((CASES / name(path)).glob("*/expect.csv"))] == []


def test_floors_and_relations_are_unique_and_few() -> None:
    assert len({number(path) for path in FILES}) == len(FILES)
    assert len({name(path) for path in FILES} | BASE_TABLES) == len(FILES) + len(BASE_TABLES)
    assert len(FILES) <= 39


def test_every_folder_of_cases_is_of_a_relation() -> None:
    assert {path.name for path in CASES.iterdir()} == {name(path) for path in FILES}
    assert [case for case in CASES.glob("*/*") if not (case / "expect.csv").is_file()] == []


@pytest.mark.parametrize(
    ("relation", "read", "detector"),
    [
        *(("fired", "windows.csv", detector) for detector in get_args(Rule.model_fields["detector"].annotation)),
        *(("fired", "regressions.csv", d) for d in get_args(SequentialRule.model_fields["detector"].annotation)),
    ],
)
def test_every_detector_has_a_case_that_fires_and_one_that_stays_silent(
    relation: str, read: str, detector: str
) -> None:
    inputs = [case / read for case in (CASES / relation).iterdir()]
    cases = [path.parent for path in inputs if path.exists() and detector in path.read_text()]
    assert {len(list(csv.reader((case / "expect.csv").open()))) > 1 for case in cases} == {True, False}


def test_statements_begin_with_what_they_do() -> None:
    files = [path for folder in ("jobs", "reports", "checks") for path in (SQL / folder).glob("*.sql")]
    assert [path.name for path in files if not path.read_text(encoding="utf-8").startswith("-- ")] == []


def test_each_file_of_a_job_or_report_is_one_statement_that_the_program_runs() -> None:
    package = "".join(path.read_text(encoding="utf-8") for path in (SQL.parent / "streammetrics").rglob("*.py"))
    named = set(re.findall(r'"((?:jobs|reports|checks)/\w+)"', package))
    assert named == {f"{path.parent.name}/{path.stem}" for path in STATEMENTS}
    assert [path for path in STATEMENTS if len(sqlglot.parse(path.read_text("utf-8"), read="duckdb")) != 1] == []


def test_migrations_are_numbered_without_a_gap_and_each_of_their_statements_is_one() -> None:
    names = [path.name for path in sorted((SQL / "schema").iterdir()) if path.suffix == ".sql"]
    assert names == [f"{number:03d}.sql" for number in range(1, len(names) + 1)]
    statements = [statement for version in schema.migrations() for statement in version]
    assert len(names) == len(schema.migrations())
    assert [one for one in statements if len(sqlglot.parse(one, read="duckdb")) != 1] == []
