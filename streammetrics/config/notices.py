"""The sections of config.toml about notices: [[channel]], [notices], [[mute]], [heartbeat]."""

from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from streammetrics.config.section import Moment, Name, Section


class Channel(Section):
    """A destination of notices.

    The address is `url`, or the content of an environment variable, `url_env`, or of a file, `url_file`. It may hold a
    password, so it is never printed. A command gets each notice as JSON on stdin.
    """

    name: Name
    kind: Literal["alertmanager", "apprise", "command"]
    url: SecretStr | None = None
    url_env: Name | None = None
    url_file: Name | None = None
    command: tuple[str, ...] = Field(default=(), strict=False)
    timeout_seconds: float = Field(default=10, gt=0, le=300)

    @field_validator("name")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value == "stdout":
            raise ValueError("is the output of `run`: choose another name")
        return value

    @model_validator(mode="after")
    def _one_address(self) -> "Channel":
        given = [name for name in ("url", "url_env", "url_file") if getattr(self, name) is not None]
        if self.kind == "command" and (given or not self.command):
            raise ValueError('kind = "command" needs command, such as ["/usr/local/bin/page", "--json"], and no url')
        if self.kind != "command" and (len(given) != 1 or self.command):
            raise ValueError(f'kind = "{self.kind}" needs one of url, url_env and url_file, and no command')
        return self


class NoticeSettings(Section):
    """What is sent, and how often.

    Args:
        for_seconds: how long an incident must be open before a notice of it is sent.
        storm_incidents: if more incidents than this open in one run, they are one notice.
        max_notices_per_hour: per channel; further changes wait, and are sent together.
        new_codes: whether channels get new codes; stdout always does.
        report_url: where the report is published, for links.
    """

    for_seconds: int = Field(default=0, ge=0, le=10**6)
    storm_incidents: int = Field(default=5, ge=1, le=1000)
    max_notices_per_hour: int = Field(default=20, ge=1, le=1000)
    new_codes: bool = False
    report_url: str | None = Field(default=None, min_length=1)


class Mute(Section):
    """Which incidents send no notices, until when and why; patterns have * and ?."""

    rule: Name = "*"
    code: Name = "*"
    baseline: Name = "*"
    candidate: Name = "*"
    until: Moment | None = None
    reason: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _is_narrow(self) -> "Mute":
        if {self.rule, self.code, self.baseline, self.candidate} == {"*"} and self.until is None:
            raise ValueError("mutes every incident with no end: name a code, rule, baseline or candidate, or set until")
        return self

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended; `now` is naive UTC."""
        return self.until is not None and self.until <= now

    def covers(self, rule: str, code: str, baseline: str, candidate: str) -> bool:
        """Whether the mute applies to such an incident."""
        pairs = ((rule, self.rule), (code, self.code), (baseline, self.baseline), (candidate, self.candidate))
        return all(fnmatchcase(name, pattern) for name, pattern in pairs)


class Heartbeat(Section):
    """A URL per job, requested when the job ends, with a slash and the exit code appended."""

    run: SecretStr | None = None
    ingest: SecretStr | None = None
    detect: SecretStr | None = None
