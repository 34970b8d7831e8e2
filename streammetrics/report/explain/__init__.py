"""Explains why a rule fired for a code at a time, or why not: counts, exposure, evidence, and the gate that held it."""

from streammetrics.report.explain.facts import Explanation, explain
from streammetrics.report.explain.words import as_json, render

__all__ = ["Explanation", "as_json", "explain", "render"]
