"""The section [engine] of config.toml: where files are read and passes compute."""

from typing import Literal

from pydantic import Field, model_validator

from streammetrics.config.section import Section


class EngineSettings(Section):
    """DuckDB in this process, or a Spark cluster: the `url` of its Connect server (`sc://host:port`), and a folder or
    `s3a://` address, the `warehouse`, that all its workers write to.
    """

    kind: Literal["duckdb", "spark"] = "duckdb"
    url: str | None = Field(default=None, pattern="^sc://.+")
    warehouse: str | None = Field(default=None, pattern="^(/|[a-z0-9]+://).+")

    @model_validator(mode="after")
    def _names_the_cluster(self) -> "EngineSettings":
        if self.kind == "spark" and (self.url is None or self.warehouse is None):
            raise ValueError('kind = "spark" needs url, such as "sc://127.0.0.1:15002", and warehouse')
        if self.kind == "duckdb" and self.model_fields_set - {"kind"}:
            raise ValueError(f'{min(self.model_fields_set - {"kind"})} goes with kind = "spark"')
        return self
