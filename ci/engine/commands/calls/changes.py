"""Changesets that a function gives: shown, and applied to the working directory when that is wanted."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from ci.engine.commands.globals import Settings
from ci.engine.commands.graphql import Client

_SIGNS = (("addedPaths", "+"), ("modifiedPaths", "~"), ("removedPaths", "-"))


def apply(client: Client, ids: Sequence[str], settings: Settings) -> None:
    """Show the changes, and apply them if the user agrees; ``--auto-apply`` does without asking.

    Raises:
        QueryError: they cannot be made, or not be applied.
    """
    if not ids:
        print("no changes to apply", file=sys.stderr)
        return
    merged = _selected(ids)
    told = client.ask(f"{{ {merged[0]} {{ {' '.join(name for name, _ in _SIGNS)} }} {merged[1]} }}")
    for name in merged[2]:
        told = told[name]
    lines = sorted((path, sign) for name, sign in _SIGNS for path in told[name])
    if not lines:
        print("no changes to apply", file=sys.stderr)
        return
    for path, sign in lines:
        print(f"{sign} {path}", file=sys.stderr)
    if not settings.auto_apply and not _agreed():
        return
    client.ask(f"{{ {merged[0]} {{ export(path: {json.dumps('.')}) }} {merged[1]} }}")


def _selected(ids: Sequence[str]) -> tuple[str, str, tuple[str, ...]]:
    """A query for all the changes as one: its start, its end, and where it leads."""
    if len(ids) == 1:
        return f"node(id: {json.dumps(ids[0])}) {{ ... on Changeset", "}", ("node",)
    rest = f"withChangesets(changes: {json.dumps(list(ids[1:]))})"
    return f"node(id: {json.dumps(ids[0])}) {{ ... on Changeset {{ {rest}", "} }", ("node", "withChangesets")


def _agreed() -> bool:
    if not sys.stdin.isatty():
        print("the changes are not applied: --auto-apply does it without asking", file=sys.stderr)
        return False
    return input("Apply changes? [y/N] ").strip().casefold() in {"y", "yes"}
