"""``Directory``: a collection of files and directories, immutable - what is in it, and where it goes."""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

import posixpath

from ci.engine.api.registry import Call, serves
from ci.engine.api.types import paths
from ci.engine.api.types.common import works
from ci.engine.api.types.paths import Stat
from ci.engine.errors import EngineError
from ci.engine.graph import contenthash
from ci.engine.graph.files import SCRATCH, Directory, File, derive
from ci.engine.graph.host import hostexport
from ci.engine.store.patterns import clean
from ci.engine.store.tree import DIRECTORY, Entry
from ci.engine.store.wildcards import BadPattern, matcher


def at(parent: Directory, path: str) -> str:
    """``path`` seen from a directory, as one of its file system's; no trailing slash."""
    return posixpath.normpath(f"/{parent.path}/{path}").replace("//", "/")


async def entry(call: Call, parent: Directory, path: str = "") -> Entry:
    """The directory itself, or one in it, as its file system has it.

    Raises:
        EngineError: nothing is there, or something else.
    """
    return await paths.require(call, parent.files, at(parent, path), DIRECTORY, shown=path or parent.path)


@serves("Query", field="directory")
def empty_directory(_call: Call, _parent: object) -> Directory:
    """An empty directory."""
    return Directory(SCRATCH)


@serves("Directory")
def directory(_call: Call, parent: Directory, *, path: str) -> Directory:
    """A directory in it; whether it is there turns out when it is used."""
    inner = at(parent, path)
    if inner == parent.path:
        return parent
    return Directory(derive("expect_directory", parent.files, path=inner, shown=path), inner)


@serves("Directory")
def file(_call: Call, parent: Directory, *, path: str) -> File:
    """A file in it; whether it is there turns out when it is used."""
    inner = at(parent, path)
    return File(derive("expect_file", parent.files, path=inner, shown=path), inner)


@serves("Directory", field="name")
async def directory_name(call: Call, parent: Directory) -> str:
    """Its name, a slash behind."""
    await entry(call, parent)
    return f"{posixpath.basename(parent.path)}/"


@serves("Directory")
async def entries(call: Call, parent: Directory, *, path: str | None = None) -> list[str]:
    """The names in it, directories with a slash behind."""
    await entry(call, parent)
    inner = at(parent, path or "")
    found = await paths.find(call, parent.files, inner)
    if found is None:
        raise EngineError(f"open {inner}: no such file or directory")
    if found.kind != DIRECTORY:
        raise EngineError(f"open {inner}: not a directory")
    listing = works(call).store.trees.load(found.digest)
    return [name + "/" if listing[name].kind == DIRECTORY else name for name in sorted(listing)]


@serves("Directory")
async def glob(call: Call, parent: Directory, *, pattern: str) -> list[str]:
    """The paths in it that match a pattern."""
    if not pattern.strip():
        raise EngineError("failed to create glob pattern matcher: empty pattern")
    if pattern.strip().startswith("!"):  # an exception to nothing
        return []
    try:
        matches = matcher(clean(pattern))
    except BadPattern as error:
        raise EngineError(f"failed to create glob pattern matcher: {error}") from error
    tree = (await entry(call, parent)).digest
    return [
        path + "/" if found.kind == DIRECTORY else path
        for path, found in works(call).store.trees.walk(tree)
        if matches(path)
    ]


@serves("Directory")
async def exists(
    call: Call,
    parent: Directory,
    *,
    path: str,
    expected_type: str | None = None,
    do_not_follow_symlinks: bool = False,
) -> bool:
    """Whether something is at a path in it."""
    await entry(call, parent)
    follow = not do_not_follow_symlinks
    if not path:
        return False
    return await paths.exists(call, parent.files, at(parent, path), expected_type, follow=follow)


@serves("Directory")
async def stat(call: Call, parent: Directory, *, path: str, do_not_follow_symlinks: bool = False) -> Stat:
    """What is at a path in it."""
    await entry(call, parent)
    if not path:
        raise EngineError("stat : no such file or directory")
    follow = not do_not_follow_symlinks
    return await paths.stat(call, parent.files, at(parent, path), follow=follow, shown=path)


@serves("Directory")
async def digest(call: Call, parent: Directory) -> str:
    """A digest of its contents and their metadata, times left out."""
    parts = works(call)
    top = await entry(call, parent)
    return await parts.evaluator.in_thread(contenthash.digest, parts.store, top)


@serves("Directory")
async def sync(call: Call, parent: Directory) -> Directory:
    """Have everything that leads here done."""
    await entry(call, parent)
    return parent


@serves("Directory")
async def export(call: Call, parent: Directory, *, path: str, wipe: bool = False) -> str:
    """Write its contents to a directory of the host; returns where."""
    parts = works(call)
    target = paths.on_host(call, path)
    tree = (await entry(call, parent)).digest
    await parts.evaluator.in_thread(lambda: hostexport.export_directory(parts.store, tree, target, wipe=wipe))
    return str(target)


@serves("Directory")
async def find_up(call: Call, parent: Directory, *, name: str, start: str) -> str | None:
    """The path of the nearest file of a name, in a directory of it or above."""
    if not name:
        raise EngineError("name cannot be empty")
    current = posixpath.normpath(start or ".")
    if current == ".." or current.startswith("../"):
        raise EngineError(f"cannot search outside parent: {current}")
    await entry(call, parent)
    while True:
        candidate = posixpath.normpath(posixpath.join(current, name))
        if await paths.find(call, parent.files, at(parent, candidate), follow=False) is not None:
            return candidate
        above = posixpath.dirname(current) or "."
        if above == current:
            return None
        current = above
