"""Synthetic streams of error records whose truth is known: what a detector is to find, and what it is not."""

from streammetrics.generate.presets import default_scenario, demo_scenario
from streammetrics.generate.sample import Stream, generate
from streammetrics.generate.scenario import Change, Scenario, load_scenario
from streammetrics.generate.truth import Truth, truth
from streammetrics.generate.write import truth_path, write

__all__ = [
    "Change",
    "Scenario",
    "Stream",
    "Truth",
    "default_scenario",
    "demo_scenario",
    "generate",
    "load_scenario",
    "truth",
    "truth_path",
    "write",
]
