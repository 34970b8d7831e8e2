"""The sections [output] and [publish] of config.toml: the files that a run writes for people and other programs."""

from pydantic import Field

from streammetrics.config.section import Name, Section

PUBLISHED = ("alerts", "incidents", "alert_revisions", "notices", "counters", "bins", "builds", "batches")


class OutputSettings(Section):
    """The folder of heatmaps; whether runs also write the report page; the file for Prometheus."""

    dir: str = "var/out"
    report: bool = False
    metrics: str | None = Field(default=None, min_length=1)


class PublishSettings(Section):
    """The DuckDB file for other programs (None: none), how often (s) it is written, and its relations.

    Records, counts and relations computed from them are limited to `days` before the newest record; others are
    complete.
    """

    path: str | None = Field(default=None, min_length=1)
    every_seconds: int = Field(default=300, ge=0, le=31_536_000)
    relations: tuple[Name, ...] = Field(default=PUBLISHED, strict=False)
    days: int = Field(default=7, ge=1, le=36500)
