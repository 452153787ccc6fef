"""A container's health check as Docker has it: the command, and how long one goes on asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ci.engine.errors import EngineError
from ci.engine.graph.fingerprint import Digested

#: What Dagger's engine does when the image does not say: seconds between two checks, and failures in a row.
PAUSE = 5.0
RETRIES = 3

_NUMBERS = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start_period": "StartPeriod",
    "start_interval": "StartInterval",
    "retries": "Retries",
}


@dataclass(frozen=True)
class HealthCheck(Digested):
    """Docker's ``Healthcheck``; durations are in nanoseconds, 0 where none was given."""

    args: tuple[str, ...]
    shell: bool = False
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> HealthCheck | None:
        """As an image's configuration has it; None when it has none, or says that there is none.

        Raises:
            EngineError: it makes no sense.
        """
        kind, *args = (value or {}).get("Test") or ["NONE"]
        if value is None or kind == "NONE":
            return None
        if kind not in {"CMD", "CMD-SHELL"}:
            raise EngineError(f"unexpected HEALTHCHECK command of type {kind} found")
        if not args:
            raise EngineError("HEALTHCHECK command is empty")
        if kind == "CMD-SHELL" and len(args) != 1:
            raise EngineError(
                f"HEALTHCHECK command is a shell command, but got unexpected length of {len(args) + 1}"
            )
        numbers = {field: int(value.get(name) or 0) for field, name in _NUMBERS.items()}
        return cls(tuple(args), kind == "CMD-SHELL", **numbers)

    def to_json(self) -> dict[str, Any]:
        """As an image's configuration has it."""
        numbers: dict[str, int] = {name: getattr(self, field) for field, name in _NUMBERS.items()}
        test = ["CMD-SHELL" if self.shell else "CMD", *self.args]
        return {"Test": test, **{name: number for name, number in numbers.items() if number}}

    @property
    def command(self) -> tuple[str, ...]:
        """What to run."""
        return ("/bin/sh", "-c", *self.args) if self.shell else self.args

    @property
    def pause(self) -> float:
        """Seconds between two checks while the container starts."""
        return (self.start_interval or self.interval) / 1e9 or PAUSE
