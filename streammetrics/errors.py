"""The one exception family. Each class carries the exit code that the command line ends with.

Exit codes follow sysexits.h where it has one: 74 EX_IOERR, 75 EX_TEMPFAIL, 78 EX_CONFIG.
"""

EXIT_OPEN_INCIDENTS = 3
"""Not a failure: incidents are open, for ``--exit-code``; or `verdict`: worse."""

EXIT_NOT_ENOUGH_DATA = 4
"""Not a failure: `verdict` cannot tell yet."""


NO_FAILURES = frozenset({0, EXIT_OPEN_INCIDENTS, 75, 143})
"""Codes with which a job ends that need nobody: 75, the store was busy, and 143, it was ended by SIGTERM: in both cases
the next run catches up."""


class StreammetricsError(Exception):
    """What went wrong, where, and what is allowed, in one sentence for the person at the terminal.

    What it quotes may hold bytes that are no text, which neither the store nor a terminal takes: escapes replace them.
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        try:
            super().__init__(message.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
        except UnicodeEncodeError:
            super().__init__(message.encode("utf-8", "backslashreplace").decode("utf-8"))


class UsageError(StreammetricsError):
    """The arguments of a command do not fit together."""

    exit_code = 2


class InputOutputError(StreammetricsError):
    """A file could not be read or written; the store is as it was."""

    exit_code = 74


class DamagedStoreError(InputOutputError):
    """The store does not open, or broke while it was read."""


class ReplacedStoreError(InputOutputError):
    """Another file, or none, lies where the store was opened. Not a fault of the input at hand: the command ends."""


class DamagedInputError(InputOutputError):
    """A file is not what its name says; it is not looked at again before it changes."""


class StoreBusyError(StreammetricsError):
    """Another process holds the store, and did not let go in time. Trying again later is right."""

    exit_code = 75


class ConfigError(StreammetricsError):
    """A setting is missing, unknown or out of range; nothing was done."""

    exit_code = 78
