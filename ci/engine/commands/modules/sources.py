"""Local modules on the command line: what is known of one, and changes to it that are written back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ci.engine.commands.graphql import Client, QueryError
from ci.engine.commands.modules.asking import MODULE, ModuleError, reference


@dataclass(frozen=True, slots=True)
class Source:
    """A local module's source: how it is referred to, and the changes to it, as GraphQL fields."""

    client: Client
    selection: str
    changes: tuple[str, ...] = ()
    hint: str = ""

    @classmethod
    def named(cls, client: Client, values: Mapping[str, Any]) -> Source:
        """The module that flags or the environment name, else the one around here.

        Raises:
            ModuleError: one was named, and none was wanted.
        """
        named = reference(values)
        origin = f"--mod={json.dumps(named)}" if values.get("mod") else f"{MODULE}={json.dumps(named)}"
        hint = f"\nhint: module source came from {origin}; if you intended local, pass `--mod .`"
        return cls(client, _selection(named or "."), hint=hint if named else "")

    @classmethod
    def at(cls, client: Client, path: str, *, new: bool = False) -> Source:
        """The module at a path, and not one around it; a ``new`` one need not exist."""
        arguments = ", disableFindUp: true, allowNotExists: true" if new else ", disableFindUp: true"
        return cls(client, _selection(path, arguments))

    def told(self, fields: str) -> dict[str, Any]:
        """Some of its fields, with the changes made.

        Raises:
            QueryError: they cannot be had.
        """
        query = fields
        for change in reversed(self.changes):
            query = f"{change} {{ {query} }}"
        found = self.client.ask(f"{{ source: {self.selection} {{ {query} }} }}")["source"]
        for change in self.changes:
            found = found[change.partition("(")[0]]
        answer: dict[str, Any] = found
        return answer

    def exists(self) -> bool:
        """Whether it has a dagger.json.

        Raises:
            ModuleError: that cannot be told.
        """
        try:
            return bool(self.told("configExists")["configExists"])
        except QueryError as error:
            raise ModuleError(f"failed to check if module already exists: {error}{self.hint}") from error

    def required(self) -> Source:
        """The same source.

        Raises:
            ModuleError: it has no dagger.json.
        """
        if not self.exists():
            raise ModuleError("module must be fully initialized")
        return self

    def folders(self) -> tuple[Path, Path]:
        """The context's folder, and that of the dagger.json.

        Raises:
            ModuleError: it is not on this host.
        """
        try:
            known = self.told("localContextDirectoryPath sourceRootSubpath")
        except QueryError as error:
            raise ModuleError(f"failed to get local context directory path: {error}{self.hint}") from error
        context = Path(known["localContextDirectoryPath"])
        return context, Path(os.path.normpath(context / known["sourceRootSubpath"]))

    def changed(self, field: str, **arguments: Any) -> Source:
        """With a change: a field of ModuleSource that gives another one, and its arguments."""
        written = ", ".join(f"{name}: {json.dumps(value)}" for name, value in arguments.items())
        return replace(self, changes=(*self.changes, f"{field}({written})"))

    def for_version(self, values: Mapping[str, Any]) -> Source:
        """Made for the version of the engine that ``--compat`` says, unless it says to skip that."""
        wanted = values.get("compat", "latest")
        return self if wanted == "skip" else self.changed("withEngineVersion", version=wanted)

    def write(self, context: Path, failure: str) -> None:
        """Generate its files, and write them.

        Raises:
            ModuleError: that fails.
        """
        try:
            self.told(f"generatedContextDirectory {{ export(path: {json.dumps(str(context))}) }}")
        except QueryError as error:
            raise ModuleError(f"{failure}: {error}") from error

    def id(self) -> str:
        """Its ID."""
        return str(self.told("id")["id"])


def _selection(named: str, arguments: str = "") -> str:
    written = json.dumps(named)
    return f"moduleSource(refString: {written}, requireKind: LOCAL_SOURCE{arguments})"
