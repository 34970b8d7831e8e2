"""The two reference rules, as settings and as text for a config.toml."""

import tomllib

from streammetrics.config.rules import Rule

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
