"""``pulumi version``, ``about``, ``plugin``, ``install`` and ``logs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.engine.commands.invocation import Invocation


def version(_call: Invocation) -> None:
    """Print the version of Pulumi that is spoken here."""
    from infra.engine.commands.stacks import version_of_engine

    print(version_of_engine())
