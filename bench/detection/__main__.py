"""`python -m bench.detection` measures every family, `python -m bench.detection NAME ...` some of them.

It ends with 1 if a target is not met.
"""

import argparse
import sys
from pathlib import Path

from bench.detection import foreign_side, report, run, timing
from bench.detection.detectors import DETECTORS, NUMPY, OURS, PEERS
from bench.detection.families import FAMILIES


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.list:
        print("\n".join(f"{family.name:<16} {family.says}" for family in FAMILIES.values()))
        return 0
    if unknown := set(arguments.names) - set(FAMILIES):
        _parser().error(f"no such family: {min(unknown)}; --list shows them")
    names = [name for name in FAMILIES if name in (arguments.names or FAMILIES)]
    peers = [] if arguments.without_peers else [peer.name for peer in PEERS]
    if not foreign_side.is_installed():
        run.say("savvi and apache-otava are left out: `make .venv-bench/.made` installs them")
        peers = [name for name in peers if name not in ("savvi", "otava")]
    times = None
    if arguments.detector == OURS.name:
        run.say("what a pass costs")
        times = timing.measured()
    judges = [arguments.detector, *peers]
    pairs = [(name, judge) for judge in judges for name in names if _is_judged(name, judge, arguments.detector)]
    wanted = run.Wanted(arguments.code_days, arguments.changes, arguments.whole)
    tallies = run.measured(pairs, wanted, arguments.dir, arguments.jobs)
    tables, is_ok = report.tables(tallies, arguments.detector, times)
    print("\n".join(table.text() for table in tables))
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(table.markdown() for table in tables), encoding="utf-8")
    return 0 if is_ok else 1


def _is_judged(family: str, judge: str, measured: str) -> bool:
    """Peers get some of the families, and what is judged at the end only those whose records come in time.

    Peers do not estimate shares.
    """
    is_fit = DETECTORS[judge].is_run_as_job or FAMILIES[family].is_punctual
    is_fit = is_fit and (judge == measured or not FAMILIES[family].is_estimated)
    return is_fit and (judge == measured or family in report.FOR_PEERS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.detection", description="How good the detectors are.")
    add = parser.add_argument
    add("names", nargs="*", metavar="FAMILY", help="families; default: all")
    add("--list", action="store_true", help="show the families and end")
    add("--detector", choices=(OURS.name, NUMPY.name), default=OURS.name, help="what is measured (default: the SQL)")
    add("--without-peers", action="store_true", help="do not run what others use")
    add("--code-days", type=float, default=float("inf"), metavar="N", help="at most so many of each family")
    add("--changes", type=float, default=float("inf"), metavar="N", help="at most so many of each family")
    add("--whole", action="store_true", help="by the SQL every bin of streams without a change: for hours")
    add("--jobs", type=int, default=2, metavar="N", help="processes at a time (default: 2)")
    add("--markdown", type=Path, metavar="FILE", help="write the tables there as well")
    add("--dir", type=Path, default=foreign_side.ROOT / "var" / "bench-detection", help="where results are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
