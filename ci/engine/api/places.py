"""Which module has the resolver of which field: found once for each version of them, then kept on disk.

So that a session imports the resolvers of what its client asks for, and none of the others.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from ci.engine.api import RESOLVERS, registry

Places: TypeAlias = Mapping[tuple[str, str], str]
"""Modules by type and field, as the registry names them."""


def installed(state: Path) -> Places:
    """The modules of this engine, from ``state`` if they have been looked at before."""
    file = state / "schema" / f"resolvers-{_key()}.json"
    try:
        known = json.loads(file.read_bytes())
    except (OSError, ValueError):
        known = derived()
        _keep(file, known)
    return {(type_, name): module for module, fields in known.items() for type_, name in fields}


def derived() -> dict[str, list[tuple[str, str]]]:
    """Import all resolvers, and say which fields each module serves or refuses."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key, module in registry.load(RESOLVERS).origins.items():
        found.setdefault(module, []).append(key)
    return found


def _key() -> str:
    """A name for what the resolvers are now."""
    here = Path(__file__).parent
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted([here / "__init__.py", here / "registry.py", *(here / "types").rglob("*.py")]):
        digest.update(f"{file.relative_to(here)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:32]


def _keep(file: Path, known: Mapping[str, list[tuple[str, str]]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{os.getpid()}")
    with unfinished.open("w") as writing:
        json.dump(known, writing)
        writing.flush()
        os.fsync(writing.fileno())
    unfinished.rename(file)
