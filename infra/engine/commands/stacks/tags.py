"""``pulumi stack tag``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line.text import json_text, table

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def list_(call: Invocation) -> None:
    """List the tags."""
    tags = dict(sorted(call.backend.tags(call.stack).items()))
    print(json_text(tags) if call.json else table(("NAME", "VALUE"), tags.items()))


def get(call: Invocation) -> None:
    """Print one tag."""
    name, stack = call.words[0], call.stack
    tags = call.backend.tags(stack)
    if name not in tags:
        raise ExitError(f"stack tag '{name}' not found for stack '{call.shown(stack)}'")
    print(tags[name])


def set_(call: Invocation) -> None:
    """Set one tag."""
    name, value = call.words
    call.backend.set_tags(call.stack, call.backend.tags(call.stack) | {name: value})


def remove(call: Invocation) -> None:
    """Remove one tag."""
    tags = call.backend.tags(call.stack)
    tags.pop(call.words[0], None)
    call.backend.set_tags(call.stack, tags)
