"""What a program wants of one resource, on its way to steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.engine.deploy import urns
from infra.engine.deploy.registration import Registration
from infra.engine.providers.contract import Provider, Target

if TYPE_CHECKING:
    from infra.engine.state.model import Resource


@dataclass(frozen=True, slots=True)
class Wish:
    """A registration on its way to steps."""

    registration: Registration
    urn: str
    old: Resource | None
    new: Resource
    provider: Provider | None
    seed: bytes
    invalid: bool = False
    imported: bool = False

    @property
    def target(self) -> Target:
        """How a provider is told which resource it is."""
        return Target(self.urn, self.new.type, urns.name_of(self.urn))
