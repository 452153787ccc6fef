"""Questions about one path of a file system, asked by ``Container``, ``Directory`` and ``File`` alike."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ci.engine.api.registry import serves_attributes
from ci.engine.api.types.common import works
from ci.engine.errors import EngineError
from ci.engine.graph.files import Files, derive
from ci.engine.graph.fingerprint import Digested
from ci.engine.modules.guests import refusal
from ci.engine.store import algebra
from ci.engine.store.algebra import PathError
from ci.engine.store.tree import DIRECTORY, REGULAR, SYMLINK, Entry, directory

if TYPE_CHECKING:
    from ci.engine.api.registry import Call

_TYPES = {REGULAR: "REGULAR", DIRECTORY: "DIRECTORY", SYMLINK: "SYMLINK"}
_EXPECTED = {"REGULAR_TYPE": REGULAR, "DIRECTORY_TYPE": DIRECTORY, "SYMLINK_TYPE": SYMLINK}
#: What a directory's size is on the file systems that Dagger's engine keeps its data on.
_DIRECTORY_SIZE = 4096


@dataclass(frozen=True)
class Stat(Digested):
    """What is known of a path without reading it."""

    name: str
    size: int
    permissions: int
    file_type: str


serves_attributes("Stat", "name", "size", "permissions", "file_type")


async def find(call: Call, files: Files, path: str, *, follow: bool = True) -> Entry | None:
    """What is at ``path``, or None.

    Raises:
        EngineError: the file system can't be brought about, a parent of ``path`` is a file, or symlinks lead
            in a circle.
    """
    return (await _located(call, files, path, follow=follow))[1]


async def _located(call: Call, files: Files, path: str, *, follow: bool) -> tuple[str, Entry | None]:
    parts = works(call)
    snapshot = await parts.evaluator.evaluate(files)
    if path in {"", "/"}:
        return "", directory(snapshot.tree)
    try:
        return algebra.locate(parts.store.trees, snapshot.tree, path, follow=follow)
    except PathError as error:
        raise EngineError(str(error)) from error


async def require(call: Call, files: Files, path: str, kind: str | None, *, shown: str) -> Entry:
    """What is at ``path``: a directory if ``kind`` says so, else anything that is none.

    Raises:
        EngineError: there is nothing, or something else.
    """
    entry = await find(call, files, path)
    if entry is None:
        raise EngineError(f"stat {shown}: no such file or directory")
    if kind == DIRECTORY and entry.kind != DIRECTORY:
        raise EngineError(f"path {shown} is a file, not a directory")
    if kind is None and entry.kind == DIRECTORY:
        raise EngineError(f"path {shown} is a directory, not a file")
    return entry


async def exists(call: Call, files: Files, path: str, expected: str | None, *, follow: bool) -> bool:
    """Whether something, of the expected type if one is given, is at ``path``."""
    entry = await find(call, files, path, follow=follow and expected != "SYMLINK_TYPE")
    return entry is not None and (expected is None or entry.kind == _EXPECTED[expected])


async def stat(call: Call, files: Files, path: str, *, follow: bool, shown: str | None = None) -> Stat:
    """What is known of ``path``, under the name it really has; EngineError when nothing is there."""
    where, entry = await _located(call, files, path, follow=follow)
    if entry is None:
        raise EngineError(f"stat {path if shown is None else shown}: no such file or directory")
    size = entry.size
    if entry.kind == DIRECTORY:
        size = _DIRECTORY_SIZE
    elif entry.kind == SYMLINK:
        size = len(os.fsencode(entry.digest))
    return Stat(posixpath.basename(where) or "/", size, entry.mode & 0o777, _TYPES.get(entry.kind, "UNKNOWN"))


def gitignored(files: Files, path: str) -> Files:
    """The directory at ``path`` without what its .gitignore files leave out."""
    return derive("gitignored", files, path=path)


def on_host(call: Call, path: str) -> Path:
    """A path that the client gave, seen from its working directory; ``~`` is its home.

    Raises:
        EngineError: the client is a module's code, which has no part in the host.
    """
    if call.client.module is not None:
        raise refusal(f"a path of the host ({path})")
    return Path(os.path.normpath(call.session.workdir / Path(path).expanduser()))
