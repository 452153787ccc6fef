"""How commands print: tables, JSON and times, as the Pulumi CLI lays them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from infra.engine.state import gojson


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """Columns two blanks apart; the last is as wide as it is."""
    lines = [list(headers), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers) - 1)]
    return "\n".join(
        indent + "".join(f"{cell:<{width + 2}}" for cell, width in zip(line, widths, strict=False)) + line[-1]
        for line in lines
    )


def json_text(value: Any) -> str:
    """JSON for the user's eyes, and for scripts."""
    return gojson.dumps(value, indent=2)


def parse_time(text: str) -> datetime | None:
    """RFC 3339, with any number of digits after the second."""
    if not text:
        return None
    head, dot, tail = text.partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    zone = tail[len(digits) :] if dot else ""
    fraction = f".{digits[:6]:0<6}" if dot else ""
    return datetime.fromisoformat(f"{head}{fraction}{zone}").astimezone(UTC)


def milliseconds(moment: datetime) -> str:
    """UTC with milliseconds, as the CLI's JSON has it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_WEEK, _MONTH, _YEAR = 7 * _DAY, 30 * _DAY, 360 * _DAY
_AGES = (
    (1, "now", 0),
    (2, "1 second", 0),
    (_MINUTE, "{} seconds", 1),
    (2 * _MINUTE, "1 minute", 0),
    (_HOUR, "{} minutes", _MINUTE),
    (2 * _HOUR, "1 hour", 0),
    (_DAY, "{} hours", _HOUR),
    (2 * _DAY, "1 day", 0),
    (_WEEK, "{} days", _DAY),
    (2 * _WEEK, "1 week", 0),
    (_MONTH, "{} weeks", _WEEK),
    (2 * _MONTH, "1 month", 0),
    (_YEAR, "{} months", _MONTH),
    (18 * _MONTH, "1 year", 0),
    (2 * _YEAR, "2 years", 0),
    (37 * _YEAR, "{} years", _YEAR),
)


def age(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, in the words of the CLI (those of go-humanize)."""
    seconds = int(((now or datetime.now(UTC)) - moment).total_seconds())
    for limit, words, unit in _AGES:
        if seconds < limit:
            return words if limit == 1 else words.format(seconds // unit if unit else "") + " ago"
    return "a long while ago"
