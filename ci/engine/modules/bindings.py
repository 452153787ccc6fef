"""Python bindings to a module's dependencies: the ``dagger_gen`` module, which the SDK takes in place of its own."""

from __future__ import annotations

from ci.engine.modules.module import Module


def text(dependencies: tuple[Module, ...]) -> str:
    """The source of ``dagger_gen.py``; "" when there are no dependencies."""
    del dependencies
    return ""
