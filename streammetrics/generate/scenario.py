"""What a stream is made of. Times inside a scenario are whole seconds from its start; rates are errors per second.

The rate of a code is what both builds send together while neither is worse than the other: the candidate sends its
share of exposure of it, the baseline the rest. Changes multiply these rates.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from streammetrics.config import Name, Section, read_toml, validate

Kind = Literal["step", "ramp", "spike", "new_code", "improvement", "surge", "burst"]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
ShareStep = Annotated[tuple[Annotated[int, Field(ge=0)], Annotated[float, Field(ge=0, le=1)]], Field(strict=False)]

_NEEDS: dict[str, tuple[str, ...]] = {
    "step": ("ratio",),
    "ramp": ("ratio",),
    "spike": ("ratio", "seconds"),
    "new_code": ("code", "rate"),
    "improvement": ("ratio",),
    "surge": ("ratio", "seconds"),
    "burst": ("bursts", "size"),
}
_ALLOWS = {"burst": ("build",)}
_SPECIAL = ("ratio", "rate", "bursts", "size", "build")


class Change(Section):
    """One thing that happens to a stream.

    Without `code` it happens to all codes, without `seconds` it lasts to the end.

    step, spike, improvement: the candidate's rate is `ratio` times as high for `seconds`.
    ramp: the candidate's rate grows linearly from 1 to `ratio` times within `seconds`, then stays there.
    new_code: only the candidate sends `code`, which `codes` does not name, at its share of `rate`.
    surge: the rates of both builds are `ratio` times as high for `seconds`.
    burst: `bursts` times, at random moments, one client (of `build`, else of either by its share) sends `size` records
        of `code` (else of one drawn by its rate) within three seconds.
    """

    kind: Kind
    code: Name | None = None
    at_second: int = Field(default=0, ge=0)
    seconds: int | None = Field(default=None, ge=1)
    ratio: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    rate: Rate | None = None
    bursts: int | None = Field(default=None, ge=1)
    size: int | None = Field(default=None, ge=1)
    build: Name | None = None

    @model_validator(mode="after")
    def _fits_kind(self) -> "Change":
        needed = _NEEDS[self.kind]
        for key in needed:
            if getattr(self, key) is None:
                raise ValueError(f"{key}: is missing; kind {self.kind!r} needs {' and '.join(needed)}")
        for key in _SPECIAL:
            if getattr(self, key) is not None and key not in (*needed, *_ALLOWS.get(self.kind, ())):
                raise ValueError(f"{key}: does not belong to kind {self.kind!r}")
        return self

    @model_validator(mode="after")
    def _ratio_fits_kind(self) -> "Change":
        if self.ratio is None:
            return self
        if self.kind == "improvement" and self.ratio >= 1:
            raise ValueError(f"ratio = {self.ratio}: an improvement is below 1")
        if self.kind in ("step", "ramp", "spike") and self.ratio <= 1:
            raise ValueError(f"ratio = {self.ratio}: a {self.kind} is above 1; what falls is an improvement")
        return self


class Scenario(Section):
    """A stream before it is drawn.

    `start` is naive UTC as everywhere in the store; a time with an offset is converted, fractions of a second are cut.
    `codes` maps a code to its rate. `candidate_share` lists (second, share): the candidate has that share of the
    exposure from that second on. `fraction_digits` of the time stamps: 6, or 0 for whole seconds.
    """

    seed: int = Field(default=1, ge=0)
    start: datetime
    seconds: int = Field(ge=1)
    baseline: Name = "1.0"
    candidate: Name = "1.1"
    codes: dict[Name, Rate] = Field(min_length=1)
    candidate_share: tuple[ShareStep, ...] = Field(default=((0, 0.5),), strict=False)
    changes: tuple[Change, ...] = Field(default=(), strict=False)
    fraction_digits: Literal[0, 6] = 6

    @field_validator("start")
    @classmethod
    def _naive_utc(cls, value: datetime) -> datetime:
        utc = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo is not None else value
        return utc.replace(microsecond=0)

    @field_validator("candidate_share")
    @classmethod
    def _steps_ascend(cls, value: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
        seconds = [second for second, _ in value]
        if seconds[:1] != [0] or seconds != sorted(set(seconds)):
            raise ValueError("begins with second 0 and goes on in ascending order")
        return value

    @model_validator(mode="after")
    def _builds_differ(self) -> "Scenario":
        if self.baseline == self.candidate:
            raise ValueError(f"baseline and candidate are both {self.baseline!r}: a build is compared to another")
        return self

    @model_validator(mode="after")
    def _changes_fit(self) -> "Scenario":
        introduced = [change.code for change in self.changes if change.kind == "new_code"]
        known = {*self.codes, *introduced}
        for place, change in enumerate(self.changes, start=1):
            where = f"changes[{place}]"
            if change.at_second >= self.seconds:
                raise ValueError(f"{where}.at_second = {change.at_second}: the stream ends at {self.seconds}")
            if change.build not in (None, self.baseline, self.candidate):
                raise ValueError(f"{where}.build = {change.build!r}: neither {self.baseline!r} nor {self.candidate!r}")
            if change.code is not None and change.code not in known:
                raise ValueError(f"{where}.code = {change.code!r}: is not one of [codes]")
            if change.kind == "new_code" and (change.code in self.codes or introduced.count(change.code) > 1):
                raise ValueError(f"{where}.code = {change.code!r}: is not new")
        return self

    @property
    def new_codes(self) -> dict[str, Change]:
        """The codes that only the candidate sends, and how."""
        return {change.code: change for change in self.changes if change.kind == "new_code" and change.code is not None}

    def end_second(self, change: Change) -> int:
        """When a change is over; a ramp stays to the end of the stream."""
        if change.seconds is None or change.kind == "ramp":
            return self.seconds
        return min(change.at_second + change.seconds, self.seconds)

    def ts(self, second: float) -> datetime:
        """A second of the scenario as time, naive UTC."""
        return self.start + timedelta(seconds=second)


def load_scenario(path: Path) -> Scenario:
    """A scenario from a TOML file with the keys of `Scenario`.

    Raises:
        ConfigError: the file is missing, is not TOML, or a key is missing, unknown or out of range.
    """
    return validate(Scenario, read_toml(path, "--scenario"), str(path))
