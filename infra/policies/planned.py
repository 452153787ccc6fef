"""A resource as it is planned, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Planned:
    """A resource about to be made or changed: ``inputs`` in Pulumi's own names, camelCase.

    Values that only the update will tell are there as objects that are neither text nor number.
    """

    environment: str
    type: str
    name: str
    inputs: Mapping[str, Any]

    def at(self, *path: str) -> Any:
        """The input at a path; None where there is none."""
        value: Any = self.inputs
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    @property
    def containers(self) -> Iterator[Mapping[str, Any]]:
        """The containers of a service or a job."""
        template = self.at("template", "template") or self.at("template") or {}
        found = template.get("containers") if isinstance(template, Mapping) else None
        yield from (container for container in found or () if isinstance(container, Mapping))


@dataclass(frozen=True, slots=True)
class Violation:
    """A policy that a resource breaks, and how."""

    policy: str
    resource: Planned
    text: str

    def __str__(self) -> str:
        return f"policy {self.policy}: {self.resource.name} ({self.resource.type}): {self.text}"
