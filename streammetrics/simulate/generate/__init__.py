"""Synthetic streams of error records with known truth: what a detector should find, and what it should not."""

from streammetrics.simulate.generate.scenario import Change, Scenario, default_scenario, demo_scenario, effect
from streammetrics.simulate.generate.stream import Truth, generate, truth, truth_path, write

__all__ = [
    "Change",
    "Scenario",
    "Truth",
    "default_scenario",
    "demo_scenario",
    "effect",
    "generate",
    "truth",
    "truth_path",
    "write",
]
