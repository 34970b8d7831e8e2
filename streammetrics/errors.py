"""The one exception family. Each class carries the exit code that the command line ends with.

Exit codes follow sysexits.h where it has one: 74 EX_IOERR, 75 EX_TEMPFAIL, 78 EX_CONFIG.
"""

EXIT_OPEN_INCIDENTS = 3
"""Not a failure: incidents are open (``--exit-code``), or the verdict is `worse`."""

EXIT_NOT_ENOUGH_DATA = 4
"""Not a failure: `verdict` has not enough data."""


NO_FAILURES = frozenset({0, EXIT_OPEN_INCIDENTS, 75, 143})
"""Exit codes of a job that need no action, because the next run catches up: 75, the store was busy; 143, SIGTERM."""


class StreammetricsError(Exception):
    """What went wrong, where, and what is allowed, in one sentence for the person at the terminal.

    Bytes in it that are not UTF-8 are replaced by escapes, because neither the store nor a terminal accepts them.
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
    """The store does not open, or failed while it was read."""


class ReplacedStoreError(InputOutputError):
    """The store's file was removed or replaced. No input is at fault, so the command ends."""


class DamagedInputError(InputOutputError):
    """A file does not contain what its name says; it is not read again before it changes."""


class StoreBusyError(StreammetricsError):
    """Another process held the store for too long. The command can be tried again later."""

    exit_code = 75


class ConfigError(StreammetricsError):
    """A setting is missing, unknown or out of range; nothing was done."""

    exit_code = 78
