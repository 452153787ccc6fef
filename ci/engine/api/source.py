"""Finds the installed SDK's schema: derived once for each version of it, then kept in the state folder."""

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci.engine.api.schema import Schema
from ci.engine.errors import EngineError

if TYPE_CHECKING:
    from graphql import GraphQLSchema


class SdkNotFoundError(EngineError):
    """The Dagger SDK, whose API the engine serves, is not installed."""


@dataclass(frozen=True)
class SchemaSource:
    """One SDK version's schema on disk: ``table.json``, ``introspection.json`` and ``schema.graphql``."""

    folder: Path

    @cached_property
    def schema(self) -> Schema:
        """The schema as the engine uses it."""
        return Schema.from_table(json.loads((self.folder / "table.json").read_bytes()))

    @cached_property
    def introspection(self) -> dict[str, Any]:
        """The full answer to the standard introspection query."""
        document: dict[str, Any] = json.loads((self.folder / "introspection.json").read_bytes())
        return document

    @cached_property
    def graphql(self) -> "GraphQLSchema":
        """The schema as graphql-core has it; slow to build, needed only to say what is wrong with a query."""
        from graphql import build_schema

        return build_schema((self.folder / "schema.graphql").read_text(), assume_valid=True)


def installed(state: Path) -> SchemaSource:
    """Return the installed SDK's schema, from ``state`` if it has been derived before.

    Raises:
        SdkNotFoundError: there is no Dagger SDK in this environment.
        DerivationError: there is one, but its generated client cannot be read.
    """
    client = generated_client()
    text = client.read_bytes()
    folder = state / "schema" / _key(text)
    if not folder.is_dir():
        _derive(text.decode(), folder)
    return SchemaSource(folder)


def generated_client() -> Path:
    """Return the path of the installed SDK's generated client, without importing the SDK."""
    spec = importlib.util.find_spec("dagger")
    path = Path(spec.origin).parent / "client" / "gen.py" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise SdkNotFoundError(
            "the Dagger SDK is not installed here; install it with `pip install dagger-io`"
        )
    return path


def _key(text: bytes) -> str:
    from graphql.version import version  # its metadata would say the same, and takes ten times as long

    digest = hashlib.sha256(text)
    digest.update(version.encode())
    for module in sorted(Path(__file__).with_name("derivation").glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()[:32]


def _derive(text: str, folder: Path) -> None:
    """Write the schema's files beside ``folder`` and rename them into place: all of them or none."""
    from ci.engine.api.derivation import tables
    from ci.engine.api.derivation.client import derive
    from ci.engine.api.derivation.sdl import sdl

    definitions = derive(text)
    schema = tables.built(definitions)
    files = {
        "table.json": json.dumps(tables.table(definitions, schema)),
        "introspection.json": json.dumps(tables.introspection(schema)),
        "schema.graphql": sdl(definitions),
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    try:
        for name, content in files.items():
            with (unfinished / name).open("w") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        unfinished.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another session was first: its files are the same
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
