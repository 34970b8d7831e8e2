"""This side of the detectors from PyPI, which run in an environment of their own: .venv-bench."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.detection.streams import Findings, Stream, findings

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
PROGRAM = Path(__file__).with_name("foreign.py")


def is_installed() -> bool:
    return PYTHON.exists()


def foreign(name: str) -> Callable[[Stream], Findings]:
    """A detector of `foreign.py`."""

    def judged(stream: Stream) -> Findings:
        baseline, candidate = stream.arrived()
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "stream.npz", Path(folder) / "found.npz"
            np.savez(source, baseline=baseline, candidate=candidate, share=stream.shares)
            done = subprocess.run([PYTHON, PROGRAM, name, source, target], capture_output=True, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"{name}: {done.stderr[-1000:]}")
            with np.load(target) as found:
                columns = (found["code"], found["start"], found["stop"])
                return findings(*columns, float(found["seconds"]))

    return judged
