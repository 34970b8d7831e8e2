"""config.toml: one bad file a mistake, whose first line is the message; and what a good one means."""

from pathlib import Path

import pytest

from streammetrics import config
from streammetrics.errors import ConfigError

MISTAKES = sorted((Path(__file__).parents[1] / "data" / "config").glob("*.toml"))
REPOSITORY = Path(__file__).parents[2]


def test_each_mistake_has_its_exact_message() -> None:
    """A file of tests/data/config has one mistake, and in its first line the message."""
    expected = {path.name: path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ") for path in MISTAKES}
    assert {path.name: message_of(path) for path in MISTAKES} == expected


def message_of(path: Path) -> str:
    """What is reported of a configuration with a mistake; empty if it loads."""
    try:
        config.load(path, {})
    except ConfigError as error:
        return str(error).removeprefix(f"{path}: ")
    return ""


def test_every_mistake_of_a_file_is_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[store]\npth = 'x'\n[detect]\nmerge_seconds = -1\n")
    with pytest.raises(ConfigError) as caught:
        config.load(path, {})
    assert str(caught.value).splitlines() == [
        f"{path}: store.pth: unknown key; did you mean 'path'?",
        f"{path}: detect.merge_seconds = -1: input should be greater than or equal to 0",
    ]


def test_the_shipped_file_says_what_the_defaults_are() -> None:
    shipped = config.load(REPOSITORY / "config.toml", {})
    default = config.load(None, {})
    assert shipped.model_dump(exclude={"source"}) == default.model_dump(exclude={"source"})


def test_the_shipped_file_names_every_key() -> None:
    text = (REPOSITORY / "config.toml").read_text(encoding="utf-8")
    for section in config.Config.model_fields:
        model = config.section_of(section)
        if model is not None:
            assert f"[{section}]" in text
            assert [key for key in model.model_fields if f"{key} =" not in text] == []


def test_the_shipped_file_names_every_key_of_a_source() -> None:
    text = (REPOSITORY / "config.toml").read_text(encoding="utf-8")
    assert [key for key in config.Source.model_fields if f"{key} =" not in text] == []


@pytest.mark.parametrize(
    ("bin_seconds", "min_bins", "least_bins"), [(10, None, 9), (7, None, 13), (3600, None, 2), (10, 2, 2)]
)
def test_evidence_of_a_minute_is_not_enough_unless_set_otherwise(
    bin_seconds: int, min_bins: int | None, least_bins: int
) -> None:
    rule = config.SequentialRule(name="r", detector="sequential", bin_seconds=bin_seconds, min_bins=min_bins)
    assert rule.least_bins == least_bins


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    path.parent.mkdir()
    path.write_text("[store]\npath = 'a.duckdb'\n[output]\ndir = '/elsewhere'\n")
    loaded = config.load(path, {})
    assert loaded.store_path == tmp_path / "deep" / "a.duckdb"
    assert loaded.output_dir == Path("/elsewhere")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml: there is no such file; name one with --config FILE"):
        config.load(tmp_path / "nothing.toml", {})


def test_the_environment_overrides_a_key() -> None:
    environment = {"STREAMMETRICS_STORE_PATH": "5", "STREAMMETRICS_DETECT_MERGE_SECONDS": "60", "HOME": "/root"}
    loaded = config.load(None, environment)
    assert loaded.store.path == "5"
    assert loaded.detect.merge_seconds == 60


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "STREAMMETRICS_STORE_PTH",
            "x",
            "environment: STREAMMETRICS_STORE_PTH: no such key; it must name a section and key of config.toml, "
            "such as STREAMMETRICS_STORE_PATH (lists such as [[rule]] cannot be overridden)",
        ),
        (
            "STREAMMETRICS_DETECT_MERGE_SECONDS",
            "soon",
            "settings: detect.merge_seconds = 'soon': input should be a valid integer",
        ),
    ],
)
def test_a_mistake_of_the_environment_is_reported_exactly(variable: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(None, {variable: value})
    assert str(caught.value) == message
