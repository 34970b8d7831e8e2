"""The sections of config.toml: every key with its type, its default and its allowed values."""

import glob
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from streammetrics.config.engine import EngineSettings
from streammetrics.config.notices import Channel, Heartbeat, Mute, NoticeSettings
from streammetrics.config.outputs import OutputSettings, PublishSettings
from streammetrics.config.rules import DEFAULT_RULES, ESTIMATE_SECONDS, RATE_RATIOS, AnyRule
from streammetrics.config.schedule import ScheduleSettings
from streammetrics.config.section import Moment, Name, Section
from streammetrics.config.source import Source
from streammetrics.errors import ConfigError

OLDEST_DAYS = 3650


class StoreSettings(Section):
    """The store's file, how long to wait for it (s), and DuckDB's memory limit."""

    path: str = "var/streammetrics.duckdb"
    lock_wait_seconds: float = Field(default=30, ge=0, le=86400)
    memory_limit: str = Field(default="700MB", pattern=r"^\d+(\.\d+)? ?([KMGT]i?B)$")


class IngestSettings(Section):
    """Records further ahead of the clock than this (s), or older (days), are rejected: they come from wrong clocks."""

    future_limit_seconds: int = Field(default=3600, ge=0, le=10**9)
    oldest_days: int = Field(default=OLDEST_DAYS, ge=1, le=400_000)


class Comparison(Section):
    """Two builds by name; or each new build (`latest`) and the build with the most records before it (`previous`).

    With `earlier` as the baseline: a build, or all builds of a pattern, and what they sent `lag_days` before.
    """

    baseline: Name = "previous"
    candidate: Name = "latest"
    builds: Name = "*"
    exposure: Literal["equal", "estimated"] | None = None
    exposure_tolerance: float = Field(default=0, ge=0, le=1)
    lag_days: int = Field(default=1, ge=0, le=366)
    min_ratio: float = Field(default=1.5, ge=1, lt=RATE_RATIOS[-1])

    @model_validator(mode="after")
    def _differ(self) -> "Comparison":
        if self.baseline == self.candidate:
            raise ValueError(f"baseline and candidate are both {self.baseline!r}: a build is compared to another")
        if self.candidate == "previous" or self.baseline == "latest":
            raise ValueError('"previous" can only be the baseline, and "latest" only the candidate')
        if self.candidate == "earlier":
            raise ValueError('"earlier" can only be the baseline')
        return self

    @model_validator(mode="after")
    def _earlier_than_now(self) -> "Comparison":
        if not self.is_earlier:
            return self
        if self.lag_days == 0:
            raise ValueError('baseline = "earlier" needs lag_days of 1 or more')
        is_latest = self.candidate == "latest" and "candidate" in self.model_fields_set
        if is_latest or {"candidate", "builds"} <= self.model_fields_set:
            raise ValueError('with baseline = "earlier" set candidate to a build or builds to a pattern, not both')
        return self

    @property
    def is_earlier(self) -> bool:
        """Whether the baseline is what was sent `lag_days` before."""
        return self.baseline == "earlier"

    @property
    def together(self) -> str:
        """The build, or the pattern of builds, that is compared with its own past."""
        return self.builds if self.candidate == "latest" else self.candidate

    @property
    def lead_seconds(self) -> int:
        """From how many seconds before a bin its exposure is estimated."""
        return 0 if self.exposure == "equal" and self.lag_days == 0 else ESTIMATE_SECONDS


class BuildSettings(Section):
    """How builds are ordered, and how many comparisons of a family are judged side by side."""

    order: Literal["auto", "version", "first_seen"] = "auto"
    max_comparisons: int = Field(default=3, ge=1, le=1000)


class Exposure(Section):
    """How many users (or sessions: anything counted alike) a build has from a time on, or a CSV file with such rows."""

    build: Name | None = None
    users: float | None = Field(default=None, ge=0, le=1e15, strict=False)
    since: Moment | None = None
    path: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _row_or_file(self) -> "Exposure":
        is_row, is_file = self.build is not None and self.users is not None, self.path is not None
        if is_row == is_file or (is_file and self.model_fields_set != {"path"}):
            raise ValueError("has either build and users (and since), or path alone")
        return self


class DetectSettings(Section):
    """How long a bin waits for late records (s); how long without alerts ends an incident (s); how long after its
    last alert the same incident reopens (s).

    Records more than `late_limit_days` behind what their comparison has judged are counted, but re-judge nothing.
    """

    lateness_seconds: int = Field(default=0, ge=0, le=10**9)
    late_limit_days: int = Field(default=7, ge=1, le=400_000)
    merge_seconds: int = Field(default=300, ge=0, le=10**9)
    reopen_seconds: int = Field(default=3600, ge=0, le=10**9)

    @property
    def joined_seconds(self) -> int:
        """Alerts at most this far (s) apart belong to the same incident."""
        return max(self.merge_seconds, self.reopen_seconds)


class RetentionSettings(Section):
    """After how many days rows are removed; None: never. Batches stay: without them, files would be read again."""

    events_days: int | None = Field(default=None, ge=1, le=36500)
    counters_days: int | None = Field(default=None, ge=1, le=36500)
    alerts_days: int | None = Field(default=None, ge=1, le=36500)
    rejects_days: int | None = Field(default=None, ge=1, le=36500)


class Config(Section):
    """All settings. `base` is the folder that relative paths start from."""

    store: StoreSettings = StoreSettings()
    engine: EngineSettings = EngineSettings()
    source: tuple[Source, ...] = Field(default=(), strict=False)
    ingest: IngestSettings = IngestSettings()
    comparison: tuple[Comparison, ...] = Field(default=(Comparison(),), strict=False)
    exposure: tuple[Exposure, ...] = Field(default=(), strict=False)
    builds: BuildSettings = BuildSettings()
    rule: tuple[AnyRule, ...] = Field(default=DEFAULT_RULES, strict=False)
    detect: DetectSettings = DetectSettings()
    retention: RetentionSettings = RetentionSettings()
    output: OutputSettings = OutputSettings()
    channel: tuple[Channel, ...] = Field(default=(), strict=False)
    notices: NoticeSettings = NoticeSettings()
    mute: tuple[Mute, ...] = Field(default=(), strict=False)
    heartbeat: Heartbeat = Heartbeat()
    publish: PublishSettings = PublishSettings()
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
        named = (("source", self.source), ("rule", self.rule), ("channel", self.channel))
        for kind, names in ((kind, [one.name for one in sections]) for kind, sections in named):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"two [[{kind}]] are named {min(twice)!r}: names are unique")
        return self

    @model_validator(mode="after")
    def _reads_where_its_files_are(self) -> "Config":
        for source in self.source:
            if self.engine.kind == "spark" and source.after != "keep" and source.path is not None:
                raise ValueError(
                    f'[[source]] {source.name!r}: after = "{source.after}" is not for files that a cluster reads; '
                    '[engine] kind is "spark"'
                )
            if self.engine.kind != "spark" and "://" in (source.path or ""):
                raise ValueError(
                    f'[[source]] {source.name!r}: path = "{source.path}" is an address, which a cluster reads; '
                    'see [engine] kind = "spark"'
                )
        return self

    @model_validator(mode="after")
    def _keeps_what_is_compared(self) -> "Config":
        kept = self.retention.counters_days
        lag = max((pair.lag_days for pair in self.comparison if pair.is_earlier), default=0)
        if kept is not None and kept <= lag:
            raise ValueError(
                f"[retention] counters_days = {kept}: removes what [[comparison]] lag_days = {lag} compares with; "
                f"set {lag + 1} or more"
            )
        return self

    @model_validator(mode="after")
    def _publishes_elsewhere(self) -> "Config":
        if self.publish_path is not None and self.publish_path.resolve() == self.store_path.resolve():
            raise ValueError(f"[publish] path = {self.publish.path!r}: is the store itself; name another file")
        return self

    def resolve(self, path: str) -> Path:
        """An absolute path from a path of the settings.

        Raises:
            ConfigError: it begins with `~` and a user who does not exist.
        """
        try:
            return self.base / Path(path).expanduser()
        except RuntimeError:
            raise ConfigError(f"{path}: its home folder is not known") from None

    def pattern(self, path: str) -> Path:
        """Like `resolve`, for a glob: `*`, `?` and `[` in the folder of config.toml itself are no wildcards."""
        found = self.resolve(path)
        is_ours = found.is_relative_to(self.base)
        return Path(glob.escape(str(self.base))) / found.relative_to(self.base) if is_ours else found

    @property
    def store_path(self) -> Path:
        return self.resolve(self.store.path)

    @property
    def output_dir(self) -> Path:
        return self.resolve(self.output.dir)

    @property
    def publish_path(self) -> Path | None:
        return None if self.publish.path is None else self.resolve(self.publish.path)

    @property
    def metrics_path(self) -> Path | None:
        return None if self.output.metrics is None else self.resolve(self.output.metrics)
