"""The two reference rules, where a test is not about what is judged."""

from streammetrics.config import Rule

RATIO = Rule(name="ratio", detector="mean_ratio", bin_seconds=10, window_bins=(5, 10), threshold=1.25)
DIFFERENCE = Rule(name="difference", detector="mean_difference", bin_seconds=50, window_bins=(10, 20), threshold=6)
REFERENCE = (RATIO, DIFFERENCE)
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
"""The same as settings, for processes."""
