"""The section [schedule] of config.toml: when runs start."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile

from pydantic import Field, field_validator, model_validator

from streammetrics.config.section import Section


class ScheduleSettings(Section):
    """When `schedule` starts a run: at an interval (s), or by a cron expression in UTC; and a run's time limit (s)."""

    every_seconds: int = Field(default=60, ge=1, le=31_536_000)
    cron: str | None = None
    timeout_seconds: int = Field(default=3600, ge=1, le=31_536_000)

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        if value is None:
            return None
        from cronsim import CronSim, CronSimError

        fields = len(value.split())
        try:
            # A sixth field would be seconds.
            if fields != 5:
                raise CronSimError(f"has {fields} fields, not 5")
            CronSim(value, datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(
                f"{error}; expected minute, hour, day, month and weekday, in UTC, such as '*/5 * * * *'"
            ) from None
        return value

    def interval_seconds(self, now: datetime) -> float:
        """The longest time between two starts within the next week."""
        if self.cron is None:
            return self.every_seconds
        from cronsim import CronSim

        # A week of office hours, minute by minute, has 3,000 starts.
        starts = takewhile(lambda start: start - now < timedelta(days=8), islice(CronSim(self.cron, now), 3100))
        return max(((later - start).total_seconds() for start, later in pairwise(starts)), default=8 * 86400)

    @model_validator(mode="after")
    def _one_clock(self) -> "ScheduleSettings":
        if self.cron is not None and "every_seconds" in self.model_fields_set:
            raise ValueError("every_seconds and cron exclude each other")
        return self
