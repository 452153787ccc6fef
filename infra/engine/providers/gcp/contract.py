"""What serves one family of resource types within the provider."""

# The protocol's own names and arguments.
# pylint: disable=redefined-builtin

from __future__ import annotations

from typing import Protocol

from infra.engine.providers.contract import Checked, Created, Diff, Found, Target
from infra.engine.values import Properties


class Family(Protocol):
    """Serves resource types of one family; the calls are the provider protocol's."""

    def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        """Inputs with defaults, and what is wrong with them."""

    def diff(self, target: Target, old_inputs: Properties, state: Properties, news: Properties) -> Diff:
        """What differs between the state and what is wanted."""

    def planned(self, target: Target, state: Properties, news: Properties) -> Properties:
        """The outputs as far as they are known before the change; ``state`` is empty for a new resource."""

    async def create(self, target: Target, inputs: Properties) -> Created:
        """Make it."""

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        """Look at it; everything but the id may be empty."""

    async def recover(self, target: Target, inputs: Properties) -> Found | None:
        """Look for what an interrupted ``create`` has made."""

    async def update(self, target: Target, id: str, state: Properties, news: Properties) -> Properties:
        """Change it."""

    async def delete(self, target: Target, id: str, state: Properties) -> None:
        """Take it away."""
