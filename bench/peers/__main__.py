"""`python -m bench.peers`: makes the event files, runs every peer on them, and writes docs/peers.md."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measure import python, say
from bench.peers import prometheus, reference, table, vmalert
from bench.peers.judge import Cause, Incident, Score, judged
from bench.peers.scenarios import CASES, COST, make
from bench.peers.table import Cost, Line
from bench.workshop import ROOT
from streammetrics.simulate.generate import Truth, truth_path

SEEDS = range(1, 6)
COST_RUNS = 3
JOBS = 2


@dataclass(frozen=True)
class Peer:
    """A row of the table.

    Args:
        module: of this package.
        environment: whose Python runs it.
        programs: whose cost is measured instead of its replay's: modules, and arguments before the file.
    """

    says: str
    module: str
    environment: str = ".venv"
    programs: tuple[tuple[str, ...], ...] = ()
    is_resolving: bool = True

    @property
    def python(self) -> Path:
        return ROOT / self.environment / "bin" / "python"


PEERS = (
    Peer("**streammetrics**, `sequential`", "ours", programs=(("streammetrics", "run"),)),
    Peer("Prometheus", "prometheus"),
    Peer("vmalert, VictoriaMetrics", "vmalert"),
    Peer("ElastAlert 2, `spike`", "elastalert.spike", ".venv-peers", is_resolving=False),
    Peer("ElastAlert 2, `percentage_match`", "elastalert.percentage", ".venv-peers", is_resolving=False),
    Peer("Apache Otava", "otava", ".venv-bench", is_resolving=False),
    Peer("GrowthBook, sequential", "growthbook", ".venv-peers"),
    Peer(
        "`mean_ratio` in pandas; polars", "frames",
        programs=(("bench.peers.frames", "pandas"), ("bench.peers.frames", "polars")),
    ),
)  # fmt: skip


def main() -> None:
    for module in (prometheus, vmalert):
        module.prepare()
    folder = ROOT / "var" / "bench-peers"
    shutil.rmtree(folder, ignore_errors=True)
    say("making the event files")
    files = {seed: _made(folder, seed) for seed in SEEDS}
    jobs = [(peer, seed) for peer in PEERS for seed in SEEDS]
    with ThreadPoolExecutor(JOBS) as pool:
        replayed = list(pool.map(lambda job: _replayed(job[0], files[job[1]]), jobs))
    scores = {peer.module: dict.fromkeys(CASES, Score()) for peer in PEERS}
    for (peer, _), found in zip(jobs, replayed, strict=True):
        for name, score in zip(CASES, found, strict=True):
            scores[peer.module][name] += score
    say("measuring what they cost")
    path = folder / "cost.csv"
    make(COST, 1, path)
    data = os.environ.get("REFERENCE_DATA")
    rows = reference.rows(Path(data) / "set_a") if data else []
    lines = [Line(peer.says, scores[peer.module], _cost(peer, folder, path), peer.is_resolving) for peer in PEERS]
    page = ROOT / "docs" / "peers.md"
    page.write_text(table.page(lines, rows), "utf-8")
    print(page)


def _made(folder: Path, seed: int) -> list[Path]:
    paths = [folder / f"{name}-{seed}.csv" for name in CASES]
    for path, case in zip(paths, CASES.values(), strict=True):
        make(case, seed, path)
    return paths


def _replayed(peer: Peer, paths: list[Path]) -> list[Score]:
    ran = python("bench.peers.replay", peer.module, *paths, interpreter=peer.python)
    say(f"{peer.module}: {paths[0].stem} and the others, {ran.seconds:.0f} s")
    lines = [json.loads(line) for line in ran.printed.splitlines()]
    return [judged([Incident(*one) for one in line], causes(path)) for line, path in zip(lines, paths, strict=True)]


def causes(path: Path) -> list[Cause]:
    """What is true of an event file: each increase goes on to the end."""
    known = Truth.model_validate_json(truth_path(path).read_text("utf-8"))
    start, end = known.scenario.start, known.scenario.seconds
    return [Cause(one.code, round((one.since_ts - start).total_seconds()), end) for one in known.increased]


def _cost(peer: Peer, folder: Path, path: Path) -> list[Cost]:
    """From file to alerts, of each of its programs: the median time and the largest peak of a few runs."""
    found = []
    for module, *arguments in peer.programs or (("bench.peers.replay", peer.module),):
        runs = []
        for _ in range(COST_RUNS):
            for old in folder.glob("cost.duckdb*"):
                old.unlink()
            options = ("--config", _config(folder)) if module == "streammetrics" else ()
            runs.append(python("bench.peak", module, *arguments, path, *options, interpreter=peer.python))
        found.append(Cost(median(ran.seconds for ran in runs), max(float(ran.printed) for ran in runs)))
        say(f"{peer.says}: {found[-1].seconds:.1f} s, {found[-1].peak_mb:.0f} MB")
    return found


def _config(folder: Path) -> Path:
    config = folder / "cost.toml"
    config.write_text('[store]\npath = "cost.duckdb"\n[output]\ndir = "out"\n', "utf-8")
    return config


if __name__ == "__main__":
    main()
