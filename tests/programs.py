"""Programs of the system that tests start: a browser, servers, checkers."""

import os
import shutil
from typing import NoReturn

import pytest


def program(name: str, package: str) -> str:
    """The path of a program; where it is not installed the test is skipped, but where CI_PROGRAMS is set, it fails."""
    # Debian keeps some where the PATH of users does not lead.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    return found or missing(f"{name} is not installed (Debian: apt-get install {package})")


def missing(message: str) -> NoReturn:
    """Skip the test; where CI_PROGRAMS is set, fail it."""
    if os.environ.get("CI_PROGRAMS"):
        pytest.fail(message)
    pytest.skip(message)
