"""Times as messages have them."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def moment(seconds: float) -> datetime:
    """The moment that many seconds after the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
