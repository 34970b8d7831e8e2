"""How good the detectors are: `python -m bench.detection`. docs/detection-measured.md has targets and figures seen."""
