"""The result of a check."""

from dataclasses import dataclass

MOST_ROWS = 10
"""How many findings of a check are listed; the others are counted."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: the check that found it, what it is, and what to do."""

    check: str
    what: str
    advice: str


RESTORE = "restore a backup (made by `streammetrics backup`); the next run reads again what came after it"
REPAIR = "`streammetrics doctor --repair` rebuilds it from the records"
