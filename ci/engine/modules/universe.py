"""All modules of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci.engine.api.respond import Api
    from ci.engine.modules.module import Module


class Universe:
    """All modules that a session has loaded, in the order it did, and what is served to their code."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}
        self.views: dict[tuple[tuple[str, ...], str, int], Api] = {}

    def add(self, module: Module) -> None:
        """Take in a module."""
        self.modules.setdefault(module.digest, module)

    @property
    def generation(self) -> int:
        """A number that grows with each module taken in."""
        return len(self.modules)
