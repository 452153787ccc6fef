"""The Dagger SDK for modules' containers: the one this engine runs beside, with all that it needs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.files import Directory, Fixed
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.graph.host import hostfiles
from ci.engine.graph.host.hostfiles import Reading
from ci.engine.store.patterns import Selection
from ci.engine.store.tree import EMPTY, Lost, Snapshot

if TYPE_CHECKING:
    from ci.engine.store.store import Store

NAME = "dagger-io"


@dataclass(frozen=True)
class Sdk:
    """The SDK's packages as a directory that Python can import from, and the version of each by its name."""

    packages: Directory
    versions: dict[str, str]


def normalized(name: str) -> str:
    """A distribution's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(store: Store) -> Sdk:
    """The SDK that is installed here. Blocking.

    Raises:
        EngineError: it is not installed.
    """
    try:
        found = {normalized(each.name): each for each in _closure(NAME)}
    except PackageNotFoundError as error:
        raise EngineError(
            f"the Dagger SDK is not whole here: {error}; run `pip install dagger-io`"
        ) from error
    versions = {name: each.version for name, each in sorted(found.items())}
    key = fingerprint("sdk-1", versions)
    known = store.index.fact("sdk", key)
    if known is not None:
        snapshot = Snapshot(*known)
        try:
            store.trees.load(snapshot.tree)
            return Sdk(Directory(Fixed(snapshot)), versions)
        except (Lost, KeyError):
            store.index.forget("sdk", key)
    snapshot = _imported(store, list(found.values()))
    store.index.record("sdk", key, [snapshot.tree, snapshot.near])
    return Sdk(Directory(Fixed(snapshot)), versions)


def _closure(name: str) -> Iterator[Distribution]:
    """A distribution and all that it requires."""
    from packaging.requirements import Requirement

    given: set[str] = set()
    seen: set[tuple[str, str]] = set()
    wanted = [(normalized(name), "")]
    while wanted:
        current = wanted.pop()
        if current in seen:
            continue
        seen.add(current)
        found = distribution(current[0])
        if current[0] not in given:
            given.add(current[0])
            yield found
        for requirement in (Requirement(text) for text in found.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": current[1]}):
                below = normalized(requirement.name)
                wanted += [(below, extra) for extra in ("", *sorted(requirement.extras))]


def _imported(store: Store, distributions: list[Distribution]) -> Snapshot:
    folder = Path(str(distributions[0].locate_file("")))
    tops = {path.parts[0] for each in distributions for path in each.files or () if path.parts[0] != ".."} - {
        "__pycache__"
    }
    selection = Selection.parse(sorted(tops), ("**/__pycache__", "**/*.pyi"))
    snapshot = hostfiles.import_directory(store, Reading(folder, selection), now=time.time_ns())
    if snapshot.tree == EMPTY:
        raise EngineError(f"the Dagger SDK is not in {folder}, where it is said to be installed")
    return snapshot
