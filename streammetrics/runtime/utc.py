"""Times as the store and the package use them: naive `datetime`s in UTC."""

from datetime import UTC, datetime

DAY_SECONDS = 86_400


def naive(value: datetime) -> datetime:
    """A time with a zone as naive UTC; a time without one is in UTC already.

    Raises:
        ValueError: in UTC it is outside of the years 1 to 9999.
    """
    try:
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("lies outside of the years 1 to 9999 in UTC") from None


def at_second(second: int) -> datetime:
    """An epoch second of the years 1 to 9999 as naive UTC."""
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=None)


def second_of(value: datetime) -> int:
    """The epoch second that a naive time lies in."""
    return int(value.replace(tzinfo=UTC, microsecond=0).timestamp())
