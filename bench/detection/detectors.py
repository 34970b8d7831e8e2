"""Every detector that is measured: its name, how it judges a stream, and what its results depend on."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.detection import ours, peers, screened, sequential
from bench.detection.foreign_side import foreign
from bench.detection.streams import Findings, Stream
from streammetrics.store import views

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Detector:
    """A way to judge streams.

    Args:
        says: for the table of peers.
        judge: finds alerts.
        version: a hash of what it is: results of another version are measured again.
        code_days, changes: how much of a family it is given at most; None: all that the family asks for. Peers that
            alert at random many times a day need few, and some are slow.
        codes: of each stream, how many it is given; None: all.
        is_run_as_job: it judges what has come so far, pass by pass; the others are given all that ever comes.
        at_length: finds the same in long streams without a change, faster; None: there is no such.
    """

    name: str
    says: str
    judge: Callable[[Stream], Findings]
    version: Callable[[], str]
    code_days: int | None = None
    changes: int | None = None
    codes: int | None = None
    is_run_as_job: bool = False
    at_length: "Detector | None" = None


def _text(*names: str) -> Callable[[], str]:
    """A hash of modules of this folder."""

    def hashed() -> str:
        digest = hashlib.sha256()
        for name in names:
            digest.update((_HERE / f"{name}.py").read_bytes())
        return digest.hexdigest()[:16]

    return hashed


def _sql(settings: object, *names: str) -> Callable[[], str]:
    """The SQL, the rule, and what of this folder has part in judging."""
    own = _text("ours", "streams", *names)
    return lambda: hashlib.sha256(f"{views.text_hash()} {settings!r} {own()}".encode()).hexdigest()[:16]


_PEERS_TEXT = _text("peers", "chances")
_FOREIGN_TEXT = _text("foreign", "foreign_side")

SCREENED = Detector(
    "screened", "`sequential`, the SQL where it can fire", screened.judge,
    _sql(ours.SEQUENTIAL, "screened", "sequential", "chances"),
)  # fmt: skip
OURS = Detector(
    "sequential", "`sequential`, the SQL", ours.sequential, _sql(ours.SEQUENTIAL), is_run_as_job=True,
    at_length=SCREENED,
)  # fmt: skip
NUMPY = Detector("numpy", "`sequential` in numpy", sequential.judge, _text("sequential", "chances"))
PEERS = (
    Detector(
        "mean_ratio", "`mean_ratio`, 10 s, 5 and 10 bins", ours.reference("mean_ratio"),
        _sql(ours.REFERENCES["mean_ratio"]), code_days=40, changes=40, codes=12,
        is_run_as_job=True,
    ),
    Detector(
        "mean_difference", "`mean_difference`, 50 s, 10 and 20 bins", ours.reference("mean_difference"),
        _sql(ours.REFERENCES["mean_difference"]), code_days=40, changes=40, codes=12,
        is_run_as_job=True,
    ),
    Detector("binomial", "exact binomial, 5 min, p < .05", peers.binomial, _PEERS_TEXT, code_days=200, changes=100),
    Detector("mann-whitney", "Mann-Whitney judge (ours)", peers.mann_whitney, _PEERS_TEXT, code_days=200, changes=100),
    Detector("scan", "exact binomial scan, union bound", peers.scan, _PEERS_TEXT, code_days=400, changes=100),
    Detector("savvi", "savvi 0.3.1", foreign("savvi"), _FOREIGN_TEXT, code_days=40, changes=40, codes=12),
    Detector("otava", "apache-otava 0.8.0", foreign("otava"), _FOREIGN_TEXT, code_days=30, changes=40, codes=6),
)  # fmt: skip

DETECTORS = {detector.name: detector for detector in (OURS, NUMPY, *PEERS)}
