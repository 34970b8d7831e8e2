"""How good the detectors are: `python -m bench.detection`. Targets and figures seen are in docs/detection.md."""
