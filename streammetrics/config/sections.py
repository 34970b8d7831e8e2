"""The sections of config.toml: every key with its type, its default and what it may be."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Name = Annotated[str, Field(min_length=1, max_length=200)]

RATE_RATIOS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""What `sequential` looks for: a grid is a supermartingale for every true ratio up to 1 (docs/detection.md)."""

BLOCK_SECONDS = 120
LOOK_BACK_BLOCKS = 184
"""Dispersion is estimated from blocks of two minutes, up to 182 back, in sql/."""
ESTIMATE_SECONDS = 3600
"""Exposure is estimated from the hour before a block, also of the blocks that dispersion is estimated from."""


class Section(BaseModel):
    """What all sections share: they cannot be changed, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


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
    date: str | None = None
    timezone: str = "UTC"
    same_content: Literal["skip", "load"] = "skip"

    @field_validator("date")
    @classmethod
    def _date_exists(cls, value: str | None) -> str | None:
        from datetime import date

        if value is not None and value != "name":
            try:
                is_day = date.fromisoformat(value).isoformat() == value
            except ValueError:
                is_day = False
            if not is_day:
                raise ValueError('is neither a day such as 2026-11-23 nor "name"')
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

    future_limit_seconds: int = Field(default=3600, ge=0, le=10**9)


class Comparison(Section):
    """Two builds, by name or as `previous` and `latest` in version order."""

    baseline: Name = "previous"
    candidate: Name = "latest"
    builds: Name = "*"
    exposure: Literal["equal", "estimated"] | None = None
    exposure_tolerance: float = Field(default=0, ge=0, le=1)

    @model_validator(mode="after")
    def _differ(self) -> "Comparison":
        if self.baseline == self.candidate:
            raise ValueError(f"baseline and candidate are both {self.baseline!r}: a build is compared to another")
        if self.candidate == "previous" or self.baseline == "latest":
            raise ValueError('"previous" can only be the baseline, and "latest" only the candidate')
        return self

    @property
    def lead_seconds(self) -> int:
        """How far before the bins that a rule looks at their exposure is estimated from."""
        return ESTIMATE_SECONDS if self.exposure == "estimated" else 0


class Rule(Section):
    """A reference rule: its bins (s), its windows (bins) and the mean of bin values that is too much."""

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

    @property
    def lead_seconds(self) -> int:
        """How far before a bin its windows look back."""
        return max(self.window_bins) * self.bin_seconds


class SequentialRule(Section):
    """Windowed Shiryaev-Roberts over a grid of rate ratios: at most one false alarm of a code in so many days.

    Ratios up to `min_ratio` are no cause for alarm; the evidence of the last `history_seconds` counts. Formulas and
    sources: docs/detection.md.
    """

    name: Name
    detector: Literal["sequential"]
    bin_seconds: int = Field(default=10, ge=1, le=3600)
    false_alarm_days_per_code: float = Field(default=1000, ge=1, le=10**7)
    min_ratio: float = Field(default=1.0, ge=1)
    history_seconds: int = Field(default=16_000, ge=60, le=86400)

    @field_validator("min_ratio")
    @classmethod
    def _has_ratios_above(cls, value: float) -> float:
        if value >= RATE_RATIOS[-1]:
            raise ValueError(
                f"leaves no ratio to look for: those of {', '.join(f'{r:g}' for r in RATE_RATIOS)} above it"
            )
        return value

    @model_validator(mode="after")
    def _has_windows(self) -> "SequentialRule":
        if self.history_seconds < self.bin_seconds:
            raise ValueError(f"history_seconds = {self.history_seconds}: is shorter than a bin of {self.bin_seconds} s")
        return self

    @property
    def rate_ratios(self) -> tuple[float, ...]:
        """The grid: what the candidate's rate may be, times the baseline's."""
        return tuple(ratio for ratio in RATE_RATIOS if ratio > self.min_ratio)

    @property
    def window_bins(self) -> tuple[int, ...]:
        """The lengths of windows: Fibonacci numbers up to the history."""
        lengths = [1, 2]
        while (longer := lengths[-1] + lengths[-2]) * self.bin_seconds <= self.history_seconds:
            lengths.append(longer)
        return tuple(bins for bins in lengths if bins * self.bin_seconds <= self.history_seconds)

    @property
    def threshold(self) -> float:
        """log10 of 1/alpha, alpha being the chance of a false alarm that a bin of a code may have."""
        return math.log10(self.false_alarm_days_per_code * 86400 / self.bin_seconds)

    @property
    def lead_seconds(self) -> int:
        """How far before a bin its windows and, before these, its estimates of dispersion look back."""
        return max(self.window_bins) * self.bin_seconds + LOOK_BACK_BLOCKS * max(BLOCK_SECONDS, self.bin_seconds)


AnyRule = Annotated[Rule | SequentialRule, Field(discriminator="detector")]


class Exposure(Section):
    """How many users (or sessions: anything counted alike) a build has from a moment on, or a CSV file that tells."""

    build: Name | None = None
    users: float | None = Field(default=None, ge=0, le=1e15, strict=False)
    since: datetime | None = Field(default=None, strict=False)
    path: str | None = Field(default=None, min_length=1)

    @field_validator("since")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        return value if value is None or value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)

    @model_validator(mode="after")
    def _row_or_file(self) -> "Exposure":
        is_row, is_file = self.build is not None and self.users is not None, self.path is not None
        if is_row == is_file or (is_file and self.model_fields_set != {"path"}):
            raise ValueError("has either build and users (and since), or path alone")
        return self


class DetectSettings(Section):
    """How long late records are waited for (s), and how close alerts are one incident (s)."""

    lateness_seconds: int = Field(default=0, ge=0, le=10**9)
    merge_seconds: int = Field(default=300, ge=0, le=10**9)


class OutputSettings(Section):
    """Where pictures and exports go."""

    dir: str = "var/out"


class ScheduleSettings(Section):
    """When `schedule` starts a run: every so many seconds, or by cron in UTC; and how long one may take (s)."""

    every_seconds: int = Field(default=60, ge=1)
    cron: str | None = None
    timeout_seconds: int = Field(default=3600, ge=1)

    @model_validator(mode="after")
    def _one_clock(self) -> "ScheduleSettings":
        if self.cron is not None and "every_seconds" in self.model_fields_set:
            raise ValueError("every_seconds and cron exclude each other")
        return self


DEFAULT_RULES = (SequentialRule(name="regression", detector="sequential"),)


class Config(Section):
    """All settings. `base` is the folder that relative paths start from."""

    store: StoreSettings = StoreSettings()
    source: tuple[Source, ...] = Field(default=(), strict=False)
    ingest: IngestSettings = IngestSettings()
    comparison: tuple[Comparison, ...] = Field(default=(Comparison(),), strict=False)
    exposure: tuple[Exposure, ...] = Field(default=(), strict=False)
    rule: tuple[AnyRule, ...] = Field(default=DEFAULT_RULES, strict=False)
    detect: DetectSettings = DetectSettings()
    output: OutputSettings = OutputSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    base: Path = Field(default=Path(), exclude=True)

    @field_validator("comparison", "rule")
    @classmethod
    def _not_empty(cls, value: tuple[Section, ...]) -> tuple[Section, ...]:
        if not value:
            raise ValueError("needs at least one")
        return value

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
