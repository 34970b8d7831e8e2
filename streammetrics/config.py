"""config.toml as validated, frozen settings.

Every key has a default or an error that names it. A key that is not known is refused with the nearest one that is.
``STREAMMETRICS_<SECTION>_<KEY>`` overrides one key of a section. Relative paths are relative to the file.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from streammetrics.errors import ConfigError

DEFAULT_CONFIG = Path("config.toml")
ENVIRONMENT_PREFIX = "STREAMMETRICS_"

Name = Annotated[str, Field(min_length=1, max_length=200)]


class Section(BaseModel):
    """What all sections share: they cannot be changed, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


M = TypeVar("M", bound=Section)


class StoreSettings(Section):
    """Where the history lives, how long to wait for it (s), and what DuckDB may use of memory."""

    path: str = "var/streammetrics.duckdb"
    lock_wait_seconds: float = Field(default=30, ge=0, le=86400)
    memory_limit: str = Field(default="700MB", pattern=r"^\d+(\.\d+)? ?([KMGT]i?B)$")


class SourceColumns(Section):
    """The names that the three columns have in the source."""

    ts: Name
    build: Name
    code: Name


class Source(Section):
    """Files of one kind: a glob, and what their bytes mean where the files do not say it themselves."""

    name: Name
    path: str = Field(min_length=1)
    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    columns: SourceColumns | None = None
    date: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2}|name)$")] | None = None
    timezone: str = "UTC"
    same_content: Literal["skip", "load"] = "skip"

    @field_validator("date")
    @classmethod
    def _date_exists(cls, value: str | None) -> str | None:
        from datetime import date

        if value is not None and value != "name":
            date.fromisoformat(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str) -> str:
        from zoneinfo import available_timezones

        if value != "UTC" and value not in available_timezones():
            raise ValueError("is not the name of a time zone such as UTC or Europe/Berlin")
        return value


class IngestSettings(Section):
    """Records further ahead of the clock than this (s) are rejected: one bad clock must not move the watermark."""

    future_limit_seconds: int = Field(default=3600, ge=0)


class Comparison(Section):
    """Two builds, by name or as `previous` and `latest` in version order."""

    baseline: Name = "previous"
    candidate: Name = "latest"
    builds: Name = "*"

    @model_validator(mode="after")
    def _differ(self) -> "Comparison":
        if self.baseline == self.candidate:
            raise ValueError(f"baseline and candidate are both {self.baseline!r}: a build is compared to another")
        if self.candidate == "previous" or self.baseline == "latest":
            raise ValueError('"previous" can only be the baseline, and "latest" only the candidate')
        return self


class Rule(Section):
    """When to alert: a detector, its bins (s), its windows (bins) and the mean that is too much."""

    name: Name
    detector: Literal["mean_ratio", "mean_difference"]
    bin_seconds: int = Field(ge=1, le=86400)
    window_bins: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = Field(min_length=1, strict=False)
    threshold: float

    @field_validator("window_bins")
    @classmethod
    def _each_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value):
            raise ValueError("names a window twice")
        return value


class DetectSettings(Section):
    """How long late records are waited for (s), and how close alerts are one incident (s)."""

    lateness_seconds: int = Field(default=0, ge=0)
    merge_seconds: int = Field(default=300, ge=0)


class OutputSettings(Section):
    """Where pictures and exports go."""

    dir: str = "var/out"


class ScheduleSettings(Section):
    """When `schedule` starts a run: every so many seconds, or by a cron expression in UTC; and how long one may take (s)."""

    every_seconds: int = Field(default=60, ge=1)
    cron: str | None = None
    timeout_seconds: int = Field(default=3600, ge=1)

    @model_validator(mode="after")
    def _one_clock(self) -> "ScheduleSettings":
        if self.cron is not None and "every_seconds" in self.model_fields_set:
            raise ValueError("every_seconds and cron exclude each other")
        return self


DEFAULT_RULES = (
    Rule(name="ratio", detector="mean_ratio", bin_seconds=10, window_bins=(5, 10), threshold=1.25),
    Rule(name="difference", detector="mean_difference", bin_seconds=50, window_bins=(10, 20), threshold=6),
)


class Config(Section):
    """All settings. `base` is the folder that relative paths start from."""

    store: StoreSettings = StoreSettings()
    source: tuple[Source, ...] = Field(default=(), strict=False)
    ingest: IngestSettings = IngestSettings()
    comparison: tuple[Comparison, ...] = Field(default=(Comparison(),), strict=False)
    rule: tuple[Rule, ...] = Field(default=DEFAULT_RULES, strict=False)
    detect: DetectSettings = DetectSettings()
    output: OutputSettings = OutputSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    base: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _names_once(self) -> "Config":
        for kind, names in (("source", [s.name for s in self.source]), ("rule", [r.name for r in self.rule])):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"two [[{kind}]] are named {min(twice)!r}: names are unique")
        return self

    def resolve(self, path: str) -> Path:
        """A path of the settings as the process can open it."""
        return self.base / Path(path).expanduser()

    @property
    def store_path(self) -> Path:
        return self.resolve(self.store.path)

    @property
    def output_dir(self) -> Path:
        return self.resolve(self.output.dir)


def load(path: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read settings from `path`, or the defaults where it is None.

    Raises:
        ConfigError: the file is missing, is not TOML, or a key is unknown or out of range.
    """
    values: dict[str, Any] = {}
    if path is not None:
        values = read_toml(path, "--config")
    where = str(path) if path is not None else "settings"
    if "base" in values:
        raise ConfigError(f"{where}: base: unknown key; known are: {_known(Config)}")
    _override(values, environ)
    return validate(Config, {**values, "base": path.parent if path is not None else Path()}, where)


def read_toml(path: Path, option: str) -> dict[str, Any]:
    """The values of a TOML file that `option` of the command line names.

    Raises:
        ConfigError: the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; name one with {option} FILE") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from None


def validate(model: type[M], values: Mapping[str, Any], where: str) -> M:
    """`values` as a `model`; `where` begins each line of the error.

    Raises:
        ConfigError: a key is missing, unknown or out of range; one line for each.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = (f"{where}: {_sentence(detail, model)}" for detail in error.errors())
        raise ConfigError("\n".join(lines)) from None


def _override(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Put STREAMMETRICS_<SECTION>_<KEY> over the file's value, read as TOML where it is, else as text."""
    for variable in sorted(name for name in environ if name.startswith(ENVIRONMENT_PREFIX)):
        section, _, key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("_")
        model = _section_model(section)
        if model is None or key not in model.model_fields:
            raise ConfigError(
                f"environment: {variable}: no such key; a section and key of config.toml are meant, "
                f"such as {ENVIRONMENT_PREFIX}STORE_PATH (lists such as [[rule]] cannot be overridden)"
            )
        text = environ[variable]
        is_text = model.model_fields[key].annotation in (str, str | None)
        try:
            value = text if is_text else tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        values.setdefault(section, {})[key] = value


def _section_model(name: str) -> type[Section] | None:
    field = Config.model_fields.get(name)
    annotation = field.annotation if field else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def _sentence(detail: ErrorDetails, root: type[Section]) -> str:
    """One mistake in one line: the key, what it is, what is allowed."""
    where = ".".join(f"[{part + 1}]" if isinstance(part, int) else part for part in detail["loc"]).replace(".[", "[")
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        model = _model_at(detail["loc"][:-1], root)
        near = difflib.get_close_matches(str(detail["loc"][-1]), _keys(model), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are: {_known(model)}"
        return f"{where}: unknown key{hint}"
    if detail["type"] == "missing":
        return f"{where}: is missing"
    if isinstance(detail["input"], dict) or not where:
        return f"{where}: {message}" if where else message
    return f"{where} = {detail['input']!r}: {message[0].lower()}{message[1:]}"


def _keys(model: type[Section]) -> list[str]:
    return [name for name in model.model_fields if name != "base"]


def _known(model: type[Section]) -> str:
    return ", ".join(_keys(model))


def _model_at(location: tuple[int | str, ...], model: type[Section]) -> type[Section]:
    """The section inside `model` that a location of an error lies in."""
    for part in location:
        if isinstance(part, str):
            model = _inner(model.model_fields[part].annotation) or model
    return model


def _inner(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _inner(arg))), None)
