"""Where the cache goes and comes from: BuildKit's syntax in the variables that Dagger has for it.

``_EXPERIMENTAL_DAGGER_CACHE_CONFIG`` means both ways, ``..._CACHE_IMPORT_CONFIG`` and
``..._CACHE_EXPORT_CONFIG`` one of them: ``type=local,src=FOLDER,dest=FOLDER`` or ``type=registry,ref=IMAGE``,
several separated by semicolons. ``mode`` is taken for the syntax's sake: all results are exported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ci.engine.errors import EngineError

PREFIX = "_EXPERIMENTAL_DAGGER_CACHE"
_KNOWN = {
    "local": {"type", "src", "dest", "mode", "compression"},
    "registry": {"type", "ref", "mode", "compression", "oci-mediatypes", "image-manifest"},
}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A folder or the name of an image in a registry."""

    folder: Path | None = None
    reference: str = ""

    def __str__(self) -> str:
        """As it was given."""
        return self.reference or str(self.folder)


@dataclass(frozen=True, slots=True)
class Transfers:
    """Where to import from, in this order, and where to export to."""

    sources: tuple[Elsewhere, ...] = ()
    targets: tuple[Elsewhere, ...] = ()


def transfers(environ: Mapping[str, str] = os.environ) -> Transfers:
    """What the variables ask for.

    Raises:
        EngineError: they can't be read, or name a kind of cache that is not served.
    """
    sources, targets = [], []
    for suffix in ("_IMPORT_CONFIG", "_EXPORT_CONFIG", "_CONFIG"):
        variable = PREFIX + suffix
        for text in re.split(r"(?<!\\);", environ.get(variable, "")):
            if not text.strip():
                continue
            given = _attributes(text.replace(r"\;", ";"), variable)
            if suffix != "_EXPORT_CONFIG":
                sources.append(_elsewhere(given, ("src", "dest"), variable))
            if suffix != "_IMPORT_CONFIG":
                targets.append(_elsewhere(given, ("dest", "src"), variable))
    return Transfers(tuple(sources), tuple(targets))


def _attributes(text: str, variable: str) -> dict[str, str]:
    given = {}
    for pair in text.split(","):
        name, equals, value = pair.strip().partition("=")
        if not equals:
            raise EngineError(f'{variable}: invalid form for cache config "{pair}"; give name=value')
        given[name] = value
    return given


def _elsewhere(given: Mapping[str, str], folders: tuple[str, str], variable: str) -> Elsewhere:
    kind = given.get("type", "")
    if kind not in _KNOWN:
        shown = f"type={kind}" if kind else "no type"
        raise EngineError(f"{variable}: {shown} is not served by the embedded engine; use local or registry")
    if unknown := set(given) - _KNOWN[kind]:
        raise EngineError(f"{variable}: a {kind} cache has no {', '.join(sorted(unknown))}")
    if kind == "registry":
        if not given.get("ref"):
            raise EngineError(f"{variable}: a registry cache needs a ref, the name of an image")
        return Elsewhere(reference=given["ref"])
    folder = next((given[name] for name in folders if given.get(name)), "")
    if not folder:
        raise EngineError(f"{variable}: a local cache needs a {folders[0]}, a folder")
    return Elsewhere(folder=Path(folder).absolute())
