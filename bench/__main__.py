"""`python -m bench` prints every row, `python -m bench NAME ...` some of them; ends with 1 if one is over its limit."""

import argparse
import os
import sys
from pathlib import Path

from bench.measure import Row, say, table
from bench.rows import GROUPS
from bench.workshop import ROOT, Workshop


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="What it costs, as ratios in one run.",
        epilog="groups:\n" + "\n".join(f"  {name:<10} {group.__doc__}" for name, group in GROUPS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="groups of rows; default: all")
    parser.add_argument("--pairs", type=int, default=3, help="how often each side runs; the median counts (default: 3)")
    parser.add_argument("--dir", type=Path, default=ROOT / "var" / "bench", help="scratch; default: var/bench")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(GROUPS):
        parser.error(f"no such group: {min(unknown)}; there are: {', '.join(GROUPS)}")
    shop = Workshop(arguments.dir.resolve(), arguments.pairs)
    rows: list[Row] = []
    for name, group in GROUPS.items():
        if name in (arguments.names or GROUPS):
            say(f"{name} (load {os.getloadavg()[0]:.1f})")
            rows += group(shop)
    print(table(rows))
    return 1 if any(row.is_over for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
