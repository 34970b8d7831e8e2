"""config.toml as validated, frozen settings.

In comes the text of config.toml with overrides from the environment; out goes one frozen `Config`, or an error that
names the key, the value and what is allowed. `cli` loads it; all other rooms get it as an argument.
"""

from streammetrics.config.engine import EngineSettings
from streammetrics.config.notices import Channel, Heartbeat, Mute, NoticeSettings
from streammetrics.config.outputs import OutputSettings, PublishSettings
from streammetrics.config.read import DEFAULT_CONFIG, load, section_of
from streammetrics.config.rules import (
    DEFAULT_RULES,
    RATE_RATIOS,
    REFERENCE_RULES,
    REFERENCE_TOML,
    AnyRule,
    Rule,
    SequentialRule,
)
from streammetrics.config.schedule import ScheduleSettings
from streammetrics.config.section import Name, Section
from streammetrics.config.sections import (
    BuildSettings,
    Comparison,
    Config,
    DetectSettings,
    Exposure,
    RetentionSettings,
    StoreSettings,
)
from streammetrics.config.source import Source

__all__ = [
    "DEFAULT_CONFIG",
    "DEFAULT_RULES",
    "RATE_RATIOS",
    "REFERENCE_RULES",
    "REFERENCE_TOML",
    "AnyRule",
    "BuildSettings",
    "Channel",
    "Comparison",
    "Config",
    "DetectSettings",
    "EngineSettings",
    "Exposure",
    "Heartbeat",
    "Mute",
    "Name",
    "NoticeSettings",
    "OutputSettings",
    "PublishSettings",
    "RetentionSettings",
    "Rule",
    "ScheduleSettings",
    "Section",
    "SequentialRule",
    "Source",
    "StoreSettings",
    "load",
    "section_of",
]
