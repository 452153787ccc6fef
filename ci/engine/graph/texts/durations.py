"""Durations as Go writes them ("1m30s"), in nanoseconds: what Docker's health checks are given in."""

from __future__ import annotations

import re

from ci.engine.errors import EngineError

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")


def parsed(text: str) -> int:
    """Nanoseconds in ``text``; the errors are those of Go's time.ParseDuration.

    Raises:
        EngineError: it is no duration.
    """
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    total, place = 0.0, 0
    while place < len(rest) or not rest:
        part = _PART.match(rest, place)
        if part is None:
            raise EngineError(f'time: invalid duration "{text}"')
        number, unit = part.groups()
        if not unit:
            raise EngineError(f'time: missing unit in duration "{text}"')
        if unit not in _UNITS:
            raise EngineError(f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(number) * _UNITS[unit]
        place = part.end()
    return sign * round(total)


def written(nanoseconds: int) -> str:
    """A duration as Go's Duration.String writes it: "0s", "400ms", "1m0s"."""
    sign, left = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if not left:
        return "0s"
    if left < 10**9:
        unit = next(unit for unit in ("ms", "µs", "ns") if left >= _UNITS[unit])
        return f"{sign}{_decimal(left, _UNITS[unit])}{unit}"
    minutes, seconds = divmod(left, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    lead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{lead}{_decimal(seconds, 10**9)}s"


def _decimal(value: int, unit: int) -> str:
    whole, fraction = divmod(value, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{fraction:0{digits}d}".rstrip("0").rstrip(".") if fraction else str(whole)
