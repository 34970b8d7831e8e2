"""Decides whether the candidate of each comparison is worse than its baseline, for rollout pipelines."""

from streammetrics.report.verdict.decide import Verdict
from streammetrics.report.verdict.facts import of_comparisons, verdicts
from streammetrics.report.verdict.words import as_json, exit_code, is_open, render

__all__ = ["Verdict", "as_json", "exit_code", "is_open", "of_comparisons", "render", "verdicts"]
