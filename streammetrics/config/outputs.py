"""The sections [output] and [publish] of config.toml: what a run leaves behind for people and other programs."""

from pydantic import Field

from streammetrics.config.section import Name, Section

PUBLISHED = ("alerts", "incidents", "alert_revisions", "notices", "counters", "bins", "builds", "batches")


class OutputSettings(Section):
    """Where pictures go; whether runs also write the report page; where figures for Prometheus go."""

    dir: str = "var/out"
    report: bool = False
    metrics: str | None = Field(default=None, min_length=1)


class PublishSettings(Section):
    """The DuckDB file for other programs, None: none; how often (s) it is written, and what it holds.

    `days` before the newest record are in it of records, counts and what is computed from these; of the others all.
    """

    path: str | None = Field(default=None, min_length=1)
    every_seconds: int = Field(default=300, ge=0, le=31_536_000)
    relations: tuple[Name, ...] = Field(default=PUBLISHED, strict=False)
    days: int = Field(default=7, ge=1, le=36500)
