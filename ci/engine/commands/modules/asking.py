"""A session to ask for a command about modules, and the module that is served in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ci.engine.commands.globals import Settings
from ci.engine.commands.graphql import Client

MODULE = "DAGGER_MODULE"  # names a module, as --mod does


class ModuleError(Exception):
    """A module cannot be had, or not be changed."""


@dataclass(frozen=True, slots=True)
class Served:
    """A module that a session serves."""

    name: str
    description: str


@contextmanager
def asking(settings: Settings) -> Iterator[Client]:
    """Yield a client of a session, which lasts as long as the block.

    Raises:
        NoEngineError: there is no session to be had.
    """
    from ci.engine.commands.caller import Caller
    from ci.engine.commands.engine import engine
    from ci.engine.commands.terminal import users_terminal

    with ExitStack() as stack:
        terminal = stack.enter_context(users_terminal()) if settings.progress != "quiet" else None
        caller = replace(
            Caller.of_this_command(),
            terminal=terminal,
            brief=settings.brief,
            interactive=settings.interactive,
        )
        connection = stack.enter_context(engine(settings.workdir, settings.progress, caller=caller))
        yield stack.enter_context(Client(connection))


def reference(values: Mapping[str, Any]) -> str | None:
    """The module that was asked for by flag or variable; None for the one that is around here, if any.

    Raises:
        ModuleError: one was named, and none was wanted.
    """
    if values.get("no-mod"):
        if values.get("mod"):
            raise ModuleError("--mod and --no-mod cannot be used together")
        return None
    return values.get("mod") or os.environ.get(MODULE) or None


def of_module(client: Client, values: Mapping[str, Any], selection: str) -> Any:
    """Return what is selected of the module that was asked for by flag, or that is around here.

    Raises:
        ModuleError: it does not exist.
        QueryError: it cannot be loaded, or what is selected cannot be had.
    """
    named = reference(values) or "."
    found = _selected(client, named, selection)
    if found is None:
        raise _missing(named)
    return found


def serve(client: Client, named: str | None) -> Served | None:
    """Have a module served; None if none was named and there is none around here.

    Raises:
        ModuleError: the one that was named does not exist.
        QueryError: it cannot be loaded.
    """
    module = _selected(client, named or ".", "name description serve(includeDependencies: true)")
    if module is not None:
        return Served(module["name"], module["description"] or "")
    if named:
        raise _missing(named)
    return None


def _selected(client: Client, named: str, selection: str) -> Any:
    """What is selected of a module, None if it does not exist."""
    source = f"moduleSource(refString: {json.dumps(named)})"
    if not client.ask(f"{{ source: {source} {{ configExists }} }}")["source"]["configExists"]:
        return None
    return client.ask(f"{{ source: {source} {{ asModule {{ {selection} }} }} }}")["source"]["asModule"]


def _missing(named: str) -> ModuleError:
    return ModuleError(f"module not found: {named} has no dagger.json")
