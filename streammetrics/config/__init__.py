"""config.toml as validated, frozen settings.

Every key has a default or an error that names it. A key that is not known is refused with the nearest one that is.
``STREAMMETRICS_<SECTION>_<KEY>`` overrides one key of a section. Relative paths are relative to the file.
"""

from streammetrics.config.read import DEFAULT_CONFIG, load, read_toml, section_of, validate
from streammetrics.config.reference import REFERENCE_RULES, REFERENCE_TOML
from streammetrics.config.rules import DEFAULT_RULES, RATE_RATIOS, AnyRule, Rule, SequentialRule
from streammetrics.config.section import Name, Section
from streammetrics.config.sections import (
    BuildSettings,
    Comparison,
    Config,
    DetectSettings,
    Exposure,
    OutputSettings,
    RetentionSettings,
    ScheduleSettings,
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
    "Comparison",
    "Config",
    "DetectSettings",
    "Exposure",
    "Name",
    "OutputSettings",
    "RetentionSettings",
    "Rule",
    "ScheduleSettings",
    "Section",
    "SequentialRule",
    "Source",
    "StoreSettings",
    "load",
    "read_toml",
    "section_of",
    "validate",
]
