"""A backend of the old layout, without projects, moved to that with projects (``pulumi state upgrade``)."""

from __future__ import annotations

from dataclasses import dataclass

from infra.engine.state import edit, files
from infra.engine.state.backend import BOOKKEEPING, Backend
from infra.engine.state.errors import StateError
from infra.engine.state.reference import Reference


@dataclass(frozen=True, slots=True)
class Upgraded:
    """Which stacks were moved, and why each of the others was not."""

    moved: tuple[Reference, ...]
    skipped: tuple[str, ...]


def upgrade(backend: Backend) -> Upgraded:
    """Move each stack below its project, which its resources tell. A newer layout is left alone."""
    if not backend.legacy:
        return Upgraded((), ())
    # First the mark: where it can't be written, nothing has been moved.
    files.write_blob(backend.root / BOOKKEEPING / "meta.yaml", b"version: 1\n", durable=True)
    moved, skipped = [], []
    for stack in backend.stacks():
        project = edit.project_of(backend.read(stack).deployment or {})
        if not project:
            skipped.append(f'Skipping stack "{stack.name}": no project name found')
            continue
        new = Reference(project, stack.name)
        try:
            backend.rename(stack, new)
        except StateError as error:
            skipped.append(f'Skipping stack "{stack.name}": {error}')
        else:
            moved.append(new)
    return Upgraded(tuple(moved), tuple(skipped))
