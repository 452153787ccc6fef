"""Times of log entries: nanoseconds since the epoch, and RFC 3339 text."""

import re
from datetime import UTC, datetime, timedelta

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+-]\d\d:?\d\d)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000_000


def nanoseconds(text: str) -> int | None:
    """The time that a text says: a date, or a date with a time, UTC unless it says otherwise."""
    found = _TIMESTAMP.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    zone, offset = found[8] or "Z", timedelta()
    if zone not in "Zz":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        offset = -offset if zone[0] == "-" else offset
    whole = (moment - _EPOCH - offset) // timedelta(seconds=1)
    return whole * SECOND + int((found[7] or "").ljust(9, "0"))


def rfc3339(time: int) -> str:
    """The text of a time, with as many digits as it needs: none, 6 or 9."""
    whole, rest = divmod(time, SECOND)
    text = (_EPOCH + timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")
    if not rest:
        return f"{text}Z"
    digits = f"{rest:09d}"
    return f"{text}.{digits[:6] if digits.endswith('000') else digits}Z"
