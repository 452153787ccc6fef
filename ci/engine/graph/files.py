"""Lazy file systems: a fixed tree, a pure operation on others, or what a step leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ci.engine.graph.fingerprint import Digested
from ci.engine.store.tree import EMPTY, Snapshot

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator


class Files(Protocol):
    """A file system that is there when it is asked for."""

    @property
    def digest(self) -> str:
        """Names how the file system comes about."""

    async def evaluate(self, evaluator: Evaluator) -> Snapshot:
        """Bring it about."""


@dataclass(frozen=True)
class Fixed:
    """A file system that is known already."""

    snapshot: Snapshot

    @property
    def digest(self) -> str:
        """The tree's own digest: how it came about no longer matters."""
        return self.snapshot.tree

    async def evaluate(self, evaluator: Evaluator) -> Snapshot:  # noqa: ARG002  # pylint: disable=unused-argument
        """The snapshot itself."""
        return self.snapshot


@dataclass(frozen=True)
class Derived(Digested):
    """A pure operation on other file systems; its result stays near the first of them on disk."""

    operation: str
    inputs: tuple[Files, ...]
    arguments: tuple[tuple[str, Any], ...] = ()

    async def evaluate(self, evaluator: Evaluator) -> Snapshot:
        """Evaluate the inputs side by side, then apply the operation to their trees."""
        found = await evaluator.evaluate_all(self.inputs)
        tree = evaluator.operations[self.operation](evaluator, *found, **dict(self.arguments))
        return Snapshot(tree, found[0].near if found else None)


SCRATCH = Fixed(Snapshot(EMPTY))


def derive(operation: str, /, *inputs: Files, **arguments: Any) -> Derived:
    """The file system that the operation ``operation`` makes of ``inputs``."""
    return Derived(operation, inputs, tuple(sorted(arguments.items())))


@dataclass(frozen=True)
class Directory(Digested):
    """A directory: the place ``path`` in a file system."""

    files: Files
    path: str = "/"


@dataclass(frozen=True)
class File(Digested):
    """A file: the place ``path`` in a file system."""

    files: Files
    path: str
