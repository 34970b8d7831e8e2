"""How much the tests of docs/reliability.md try: little in CI, all of it in `make reliability`."""

import os

IS_FULL = bool(os.environ.get("RELIABILITY_FULL"))


def count(quick: int, full: int) -> int:
    """How often to try: `full` in `make reliability`, else `quick`."""
    return full if IS_FULL else quick
