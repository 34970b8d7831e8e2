"""What a check finds."""

from dataclasses import dataclass

MOST_ROWS = 10
"""So many findings of a check are listed, and then how many more there are."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: which check says so, what it is, and what to do about it."""

    check: str
    what: str
    advice: str


RESTORE = "restore a backup (`streammetrics backup` makes them); the next run reads what came after it once more"
REPAIR = "`streammetrics doctor --repair` makes it anew from the records"
