"""What the tests of reliability share: how much they try."""

import os


def count(quick: int, full: int) -> int:
    """How often to try: `full` where the environment variable RELIABILITY_FULL is set."""
    return full if os.environ.get("RELIABILITY_FULL") else quick
