"""Synthetic streams of error records whose truth is known: what a detector is to find, and what it is not."""

from streammetrics.simulate.generate.output import Truth, truth, truth_path, write
from streammetrics.simulate.generate.presets import default_scenario, demo_scenario
from streammetrics.simulate.generate.sample import generate
from streammetrics.simulate.generate.scenario import Scenario, load_scenario

__all__ = [
    "Scenario",
    "Truth",
    "default_scenario",
    "demo_scenario",
    "generate",
    "load_scenario",
    "truth",
    "truth_path",
    "write",
]
