"""[[rule]]: the settings of each detector."""

import math
import tomllib
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from streammetrics.config.section import Name, Section

RATE_RATIOS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""The rate ratios that `sequential` tests."""

BLOCK_SECONDS = 120
LOOK_BACK_BLOCKS = 242
"""Dispersion is estimated in sql/ from blocks of two minutes, up to 180 before one that may lie 30 back, and
those up to 30 before each."""
BURST_SECONDS = 90
"""Errors within a minute may come from one client; half as long again, to allow for chance."""
STANDING_SECONDS = 3600
"""The evidence of the last error stays valid for this long at most."""
ESTIMATE_SECONDS = 3600
"""Exposure is estimated from the hour before a block, also for the blocks from which dispersion is estimated."""


class Rule(Section):
    """A reference rule: its bins (s), its windows (bins) and the mean of bin values above which it alerts."""

    name: Name
    detector: Literal["mean_ratio", "mean_difference"]
    bin_seconds: int = Field(ge=1, le=86400)
    window_bins: tuple[Annotated[int, Field(ge=1, le=10_000)], ...] = Field(min_length=1, strict=False)
    threshold: float = Field(allow_inf_nan=False)

    @field_validator("window_bins")
    @classmethod
    def _each_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value):
            raise ValueError("names a window twice")
        return value


class SequentialRule(Section):
    """Page's CUSUM over a grid of rate ratios: at most one false alarm of a code in `false_alarm_days_per_code` days.

    Ratios up to `min_ratio` are ignored. The evidence of the last `history_seconds` counts, and it must be spread over
    more than `min_bins` bins. Formulas and sources: docs/detection.md.
    """

    name: Name
    detector: Literal["sequential"]
    bin_seconds: int = Field(default=10, ge=1, le=3600)
    false_alarm_days_per_code: float = Field(default=1000, ge=1, le=10**7)
    min_ratio: float = Field(default=1.0, ge=1)
    min_bins: int | None = Field(default=None, ge=2, le=1000)
    history_seconds: int = Field(default=16_000, ge=60, le=86400)

    @field_validator("min_ratio")
    @classmethod
    def _has_ratios_above(cls, value: float) -> float:
        if value >= RATE_RATIOS[-1]:
            raise ValueError(
                f"leaves no ratio to test: tested are those of {', '.join(f'{r:g}' for r in RATE_RATIOS)} above it"
            )
        return value

    @model_validator(mode="after")
    def _fits_the_history(self) -> "SequentialRule":
        if self.history_seconds < self.bin_seconds:
            raise ValueError(f"history_seconds = {self.history_seconds}: is shorter than a bin of {self.bin_seconds} s")
        if self.least_bins >= max(self.window_bins):
            raise ValueError(
                f"history_seconds = {self.history_seconds}: holds {max(self.window_bins)} bins, and an increase must "
                f"show in more than min_bins = {self.least_bins}: raise the one or lower the other"
            )
        return self

    @property
    def rate_ratios(self) -> tuple[float, ...]:
        """The tested ratios of the candidate's rate to the baseline's."""
        return tuple(ratio for ratio in RATE_RATIOS if ratio > self.min_ratio)

    @property
    def least_bins(self) -> int:
        """`min_bins`; by default more bins than one client's errors of a minute can touch."""
        return self.min_bins or max(2, math.ceil(BURST_SECONDS / self.bin_seconds))

    @property
    def window_bins(self) -> tuple[int, ...]:
        """The longest window: the history."""
        return (math.ceil(self.history_seconds / self.bin_seconds),)

    @property
    def threshold(self) -> float:
        """log10 of the number of bins in which one false alarm of a code is allowed."""
        return math.log10(self.false_alarm_days_per_code * 86400 / self.bin_seconds)


AnyRule = Annotated[Rule | SequentialRule, Field(discriminator="detector")]

DEFAULT_RULES = (SequentialRule(name="regression", detector="sequential"),)


def lead_seconds(windows: Iterable[tuple[str, int, int]], estimate_seconds: int = ESTIMATE_SECONDS) -> int:
    """How many seconds before a bin's end must be read to judge it; the widest bin is added twice, for cut bins.

    For evidence these are its history, the history of its peak, and the time from which dispersion is estimated.

    Args:
        windows: detector, seconds of a bin and bins of a window, of each rule.
        estimate_seconds: exposure is estimated from this time before a bin.
    """
    longest, widest = 0, 1
    for detector, bin_seconds, bins in windows:
        look_back = bins * bin_seconds
        if detector == "sequential":
            look_back = 2 * look_back + STANDING_SECONDS + LOOK_BACK_BLOCKS * max(BLOCK_SECONDS, bin_seconds)
        longest, widest = max(longest, look_back), max(widest, bin_seconds)
    return longest + estimate_seconds + 2 * widest


REFERENCE_TOML = """\
[[rule]]
name = "ratio"
detector = "mean_ratio"
bin_seconds = 10
window_bins = [5, 10]
threshold = 1.25

[[rule]]
name = "difference"
detector = "mean_difference"
bin_seconds = 50
window_bins = [10, 20]
threshold = 6
"""

REFERENCE_RULES = tuple(Rule.model_validate(rule) for rule in tomllib.loads(REFERENCE_TOML)["rule"])
