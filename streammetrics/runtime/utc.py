"""Times as the store and all of the package has them: naive `datetime`s, which mean UTC."""

from datetime import UTC, datetime

DAY_SECONDS = 86_400


def naive(value: datetime) -> datetime:
    """The moment of a time with a zone; one without is in UTC already.

    Raises:
        ValueError: it lies outside of the years 1 to 9999 there.
    """
    try:
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("lies outside of the years 1 to 9999 in UTC") from None


def at_second(second: int) -> datetime:
    """The moment of an epoch second from year 1 to 9999."""
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=None)


def second_of(value: datetime) -> int:
    """The epoch second that a naive time lies in."""
    return int(value.replace(tzinfo=UTC, microsecond=0).timestamp())
