"""The two reference rules, where a test is not about what is judged."""

from streammetrics.config import REFERENCE_RULES as REFERENCE
from streammetrics.config import REFERENCE_TOML

__all__ = ["REFERENCE", "REFERENCE_TOML"]
