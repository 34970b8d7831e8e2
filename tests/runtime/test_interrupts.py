"""SIGTERM to a process that unwinds, one that cannot, and one that handles it itself."""

import subprocess
import sys

import pytest

INSTALL = """
import os, signal, sys, time
from streammetrics.runtime import interrupts
interrupts.install(lambda: print("gave up", flush=True), 0.3)
def term():
    os.kill(os.getpid(), signal.SIGTERM)
"""
UNWINDS = """
try:
    term()
    time.sleep(10)
finally:
    print("unwound", flush=True)
"""
# Python's own end would run what is registered, under threads that may still be at work.
ENDS_AT_ONCE = """
import atexit
atexit.register(print, "took itself down")
print("printed", end="")
interrupts.end(143)
"""
# As a library does that works on for long without looking at Python's signals.
CANNOT = """
import ctypes
libc = ctypes.CDLL(None)
import threading
threading.Timer(0.2, term).start()
until = time.monotonic() + 20
while time.monotonic() < until:
    try:
        libc.poll(None, 0, 10_000)
    except SystemExit:
        pass
"""
# A pool that is hindered says so with a traceback before it lets the end pass.
CLOSES = """
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
engine = create_engine("sqlite://", poolclass=NullPool)
connection = engine.connect()
engine.dialect.do_close = lambda _: (term(), time.sleep(10))
connection.close()
"""
FAILS_TO_CLOSE = CLOSES.replace("(term(), time.sleep(10))", "1 / 0")
HANDLES = """
signal.signal(signal.SIGTERM, lambda *_: print("mine", flush=True))
term()
time.sleep(1)
"""


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        (UNWINDS, 143, "unwound\n"),
        (CANNOT, 143, "gave up\n"),
        (HANDLES, 0, "mine\n"),
        (CLOSES, 143, ""),
        (ENDS_AT_ONCE, 143, "printed"),
    ],
)
def test_sigterm(script: str, code: int, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INSTALL + script], capture_output=True, text=True, check=False, timeout=15
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, words, "")


def test_a_connection_that_does_not_close_is_reported_all_the_same() -> None:
    script = [sys.executable, "-c", INSTALL + FAILS_TO_CLOSE]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=15)
    assert (done.returncode, "ZeroDivisionError" in done.stderr) == (0, True)
