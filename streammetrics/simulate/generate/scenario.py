"""What a stream is made of. Times inside a scenario are whole seconds from its start; rates are errors per second.

The rate of a code is what both builds send together while neither is worse than the other: the candidate sends its
share of exposure of it, the baseline the rest. Changes multiply these rates.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from streammetrics.config import Name, Section, read_toml, validate
from streammetrics.runtime import utc

ShareStep = Annotated[tuple[Annotated[int, Field(ge=0)], Annotated[float, Field(ge=0, le=1)]], Field(strict=False)]

_NEEDS = {
    "step": ("ratio",),
    "ramp": ("ratio",),
    "spike": ("ratio", "seconds"),
    "improvement": ("ratio",),
    "surge": ("ratio", "seconds"),
    "new_code": ("code",),
    "burst": ("code", "size", "seconds"),
}


class Change(Section):
    """One thing that happens to a stream.

    Without `code` it happens to all codes, without `seconds` it lasts to the end.

    step, spike, improvement: the candidate's rate is `ratio` times as high for `seconds`.
    ramp: the candidate's rate grows linearly from 1 to `ratio` times within `seconds`, then stays there.
    surge: the rates of both builds are `ratio` times as high for `seconds`.
    new_code: only the candidate sends `code`, for `seconds`.
    burst: one client, of either build by its share, sends `size` records of `code` within `seconds`.
    """

    kind: Literal["step", "ramp", "spike", "improvement", "surge", "new_code", "burst"]
    code: Name | None = None
    at_second: int = Field(default=0, ge=0)
    seconds: int | None = Field(default=None, ge=1)
    ratio: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    size: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _fits_kind(self) -> "Change":
        needed = {"kind", *_NEEDS[self.kind]}
        if not needed <= self.model_fields_set <= needed | {"code", "at_second", "seconds"}:
            raise ValueError(
                f"kind {self.kind!r} needs {', '.join(_NEEDS[self.kind])}, and else takes code, at_second and seconds"
            )
        return self


class Scenario(Section):
    """A stream before it is drawn.

    `start` is naive UTC as everywhere in the store; a time with an offset is converted, fractions of a second are cut.
    `codes` maps a code to its rate. `candidate_share` lists (second, share): the candidate has that share of the
    exposure from that second on.
    """

    seed: int = Field(default=1, ge=0)
    start: datetime
    seconds: int = Field(ge=1)
    baseline: Name = "1.0"
    candidate: Name = "1.1"
    codes: dict[Name, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(min_length=1)
    candidate_share: tuple[ShareStep, ...] = Field(default=((0, 0.5),), strict=False)
    changes: tuple[Change, ...] = Field(default=(), strict=False)

    @field_validator("start")
    @classmethod
    def _whole_second(cls, value: datetime) -> datetime:
        return utc.naive(value).replace(microsecond=0)

    @field_validator("candidate_share")
    @classmethod
    def _steps_ascend(cls, value: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
        seconds = [second for second, _ in value]
        if seconds[:1] != [0] or seconds != sorted(set(seconds)):
            raise ValueError("begins with second 0 and goes on in ascending order")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Scenario":
        if self.baseline == self.candidate:
            raise ValueError(f"baseline and candidate are both {self.baseline!r}: a build is compared to another")
        for place, change in enumerate(self.changes, start=1):
            if change.at_second + (change.seconds or 1) > self.seconds:
                raise ValueError(f"changes[{place}]: lasts beyond the end of the stream at {self.seconds}")
            if change.code is not None and change.code not in self.codes:
                raise ValueError(f"changes[{place}].code = {change.code!r}: is not one of [codes]")
        return self

    @property
    def new_codes(self) -> dict[str | None, int]:
        """The codes that only the candidate sends, and since which second."""
        return {change.code: change.at_second for change in self.changes if change.kind == "new_code"}

    def end_second(self, change: Change) -> int:
        """When a change is over, or a ramp has grown."""
        return self.seconds if change.seconds is None else change.at_second + change.seconds


def load_scenario(path: Path) -> Scenario:
    """A scenario from a TOML file with the keys of `Scenario`.

    Raises:
        ConfigError: the file is missing, is not TOML, or a key is missing, unknown or out of range.
    """
    return validate(Scenario, read_toml(path, "--scenario"), str(path))
