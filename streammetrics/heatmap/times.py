"""Few, round ticks for the time axis, in UTC and with the date."""

from datetime import UTC, datetime, timedelta

MINUTE, HOUR, DAY = 60, 3600, 86400

_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(MINUTE * step for step in (1, 2, 5, 10, 15, 30)),
    *(HOUR * step for step in (1, 2, 3, 6, 12)),
    *(DAY * step * 10**power for power in range(6) for step in (1, 2, 5)),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ticks(first_second: int, seconds: int, most: int = 12) -> dict[int, str]:
    """At most one label more than `most`, by epoch second; the date stands under the first and wherever it changes."""
    step = next(step for step in _STEPS if seconds // step < most)
    labels: dict[int, str] = {}
    date = ""
    for second in range(-(-first_second // step) * step, first_second + seconds + 1, step):
        moment = _EPOCH + timedelta(seconds=second)
        clock = "" if step >= DAY else f"{moment:%H:%M}" if step >= MINUTE else f"{moment:%H:%M:%S}"
        today = f"{moment:%Y-%m-%d}"
        shown = "" if today == date else today if date else f"{today} UTC"
        labels[second] = "\n".join(part for part in (clock, shown) if part)
        date = today
    return labels
