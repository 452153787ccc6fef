"""``Directory``: a collection of files and directories, immutable."""

from __future__ import annotations

import os
import posixpath
from dataclasses import replace
from pathlib import Path

from ci.engine.api.registry import Call, serves
from ci.engine.api.types import paths
from ci.engine.api.types.common import numeric_owner, selection, works
from ci.engine.api.types.paths import Stat
from ci.engine.errors import EngineError
from ci.engine.graph import hostfiles
from ci.engine.graph.files import SCRATCH, Directory, File, derive
from ci.engine.store.patterns import BadPattern, clean, compile_pattern
from ci.engine.store.tree import DIRECTORY


def _at(parent: Directory, path: str) -> str:
    """``path`` seen from a directory, as one of its file system's; a trailing slash is kept."""
    joined = posixpath.normpath(posixpath.join("/", path))
    inside = posixpath.join(parent.path, joined.lstrip("/"))
    return inside + "/" if path.endswith("/") and not inside.endswith("/") else inside


@serves("Query", field="directory")
def empty_directory(_call: Call, _parent: object) -> Directory:
    """An empty directory."""
    return Directory(SCRATCH)


@serves("Directory")
async def directory(call: Call, parent: Directory, *, path: str) -> Directory:
    """A directory in it."""
    inner = _at(parent, path).rstrip("/") or "/"
    await paths.require(call, parent.files, inner, DIRECTORY, shown=path)
    return Directory(parent.files, inner)


@serves("Directory")
async def file(call: Call, parent: Directory, *, path: str) -> File:
    """A file in it."""
    inner = _at(parent, path).rstrip("/")
    await paths.require(call, parent.files, inner, None, shown=path)
    return File(parent.files, inner)


@serves("Directory")
def name(_call: Call, parent: Directory) -> str:
    """Its name."""
    base = posixpath.basename(parent.path)
    return f"{base}/"


async def _tree(call: Call, parent: Directory, path: str = "") -> str:
    entry = await paths.require(call, parent.files, _at(parent, path), DIRECTORY, shown=path or parent.path)
    return entry.digest


@serves("Directory")
async def entries(call: Call, parent: Directory, *, path: str | None = None) -> list[str]:
    """The names in it, directories with a slash behind."""
    listing = works(call).store.trees.load(await _tree(call, parent, path or ""))
    return [name + "/" if listing[name].kind == DIRECTORY else name for name in sorted(listing)]


@serves("Directory")
async def glob(call: Call, parent: Directory, *, pattern: str) -> list[str]:
    """The paths in it that match a pattern."""
    try:
        compiled = compile_pattern(clean(pattern))
    except BadPattern as error:
        raise EngineError(str(error)) from error
    tree = await _tree(call, parent)
    return [
        path + "/" if entry.kind == DIRECTORY else path
        for path, entry in works(call).store.trees.walk(tree)
        if compiled.match(path)
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
    return await paths.exists(
        call, parent.files, _at(parent, path), expected_type, follow=not do_not_follow_symlinks
    )


@serves("Directory")
async def stat(call: Call, parent: Directory, *, path: str, do_not_follow_symlinks: bool = False) -> Stat:
    """What is at a path in it."""
    return await paths.stat(call, parent.files, _at(parent, path), follow=not do_not_follow_symlinks)


@serves("Directory")
async def digest(call: Call, parent: Directory) -> str:
    """A digest of its contents."""
    return f"sha256:{await _tree(call, parent)}"


@serves("Directory")
async def sync(call: Call, parent: Directory) -> Directory:
    """Have everything that leads here done."""
    await _tree(call, parent)
    return parent


@serves("Directory")
async def export(call: Call, parent: Directory, *, path: str, wipe: bool = False) -> str:
    """Write its contents to a directory of the host; returns where."""
    parts = works(call)
    target = Path(os.path.normpath(call.session.workdir / path))
    tree = await _tree(call, parent)
    await parts.evaluator.in_thread(lambda: hostfiles.export(parts.store, tree, target, wipe=wipe))
    return str(target)


@serves("Directory")
def with_new_file(
    call: Call, parent: Directory, *, path: str, contents: str, permissions: int = 0o644
) -> Directory:
    """With a new file."""
    _check_name(path)
    content, _ = works(call).store.keep(contents.encode("utf-8", "surrogateescape"))
    return _derived(
        parent, "new_file", path=_at(parent, path), content=content, mode=permissions, owner=None
    )


def _check_name(path: str) -> None:
    if any(len(name.encode("utf-8", "surrogateescape")) > 255 for name in path.split("/")):
        raise EngineError("File name length exceeds the maximum supported 255 characters")


def _derived(parent: Directory, operation: str, **arguments: object) -> Directory:
    return replace(parent, files=derive(operation, parent.files, **arguments))


@serves("Directory")
def with_file(
    _call: Call,
    parent: Directory,
    *,
    path: str,
    source: File,
    permissions: int | None = None,
    owner: str = "",
) -> Directory:
    """With a copy of a file."""
    _check_name(path)
    files = derive(
        "copy_file",
        parent.files,
        source.files,
        path=_at(parent, path),
        source_path=source.path,
        mode=permissions,
        owner=numeric_owner(owner),
    )
    return replace(parent, files=files)


@serves("Directory")
def with_files(
    call: Call, parent: Directory, *, path: str, sources: list[File], permissions: int | None = None
) -> Directory:
    """With copies of several files in a directory of it."""
    for source in sources:
        parent = with_file(call, parent, path=path.rstrip("/") + "/", source=source, permissions=permissions)
    return parent


@serves("Directory")
def with_directory(
    _call: Call,
    parent: Directory,
    *,
    path: str,
    source: Directory,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
    owner: str = "",
    permissions: int | None = None,
) -> Directory:
    """With a copy of a directory, merged with what is there."""
    files = derive(
        "copy_directory",
        parent.files,
        paths.gitignored(source.files, source.path) if gitignore else source.files,
        path=_at(parent, path).rstrip("/") or "/",
        source_path="/" if gitignore else source.path,
        selection=selection(include, exclude),
        owner=numeric_owner(owner),
        permissions=permissions,
    )
    return replace(parent, files=files)


@serves("Directory")
def with_new_directory(_call: Call, parent: Directory, *, path: str, permissions: int = 0o755) -> Directory:
    """With an empty directory in it."""
    if posixpath.normpath(path).split("/")[0] == "..":
        raise EngineError(f"cannot create directory outside parent: {path}")
    return _derived(
        parent, "make_directory", path=_at(parent, path).rstrip("/") or "/", mode=permissions, owner=None
    )


@serves("Directory")
def with_symlink(_call: Call, parent: Directory, *, target: str, link_name: str) -> Directory:
    """With a symlink in it."""
    return _derived(parent, "make_symlink", path=_at(parent, link_name), target=target)


@serves("Directory")
def with_timestamps(_call: Call, parent: Directory, *, timestamp: int) -> Directory:
    """With the modification time of everything in it set (seconds since the epoch)."""
    return _derived(parent, "timestamped", path=parent.path, seconds=timestamp)


@serves("Directory")
def without_directory(_call: Call, parent: Directory, *, path: str) -> Directory:
    """Without a directory in it."""
    return _derived(parent, "without", paths=(_at(parent, path).rstrip("/") or "/",))


@serves("Directory")
def without_file(_call: Call, parent: Directory, *, path: str) -> Directory:
    """Without a file in it."""
    return _derived(parent, "without", paths=(_at(parent, path),))


@serves("Directory")
def without_files(_call: Call, parent: Directory, *, paths: list[str]) -> Directory:
    """Without some files in it."""
    return _derived(parent, "without", paths=tuple(_at(parent, path) for path in paths))


@serves("Directory")
def chown(_call: Call, parent: Directory, *, path: str, owner: str) -> Directory:
    """With what is at a path belonging to somebody else."""
    return _derived(parent, "chowned", path=_at(parent, path).rstrip("/") or "/", owner=numeric_owner(owner))


@serves("Directory", field="filter")
def filtered(
    _call: Call,
    parent: Directory,
    *,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
) -> Directory:
    """What patterns leave of it."""
    files = paths.gitignored(parent.files, parent.path) if gitignore else parent.files
    path = "/" if gitignore else parent.path
    return Directory(derive("filtered", files, path=path, selection=selection(include, exclude)))


@serves("Directory")
def diff(_call: Call, parent: Directory, *, other: Directory) -> Directory:
    """What another directory adds to it or changes."""
    files = derive("difference", parent.files, other.files, path=parent.path, upper_path=other.path)
    return Directory(files)


@serves("Directory")
async def find_up(call: Call, parent: Directory, *, name: str, start: str) -> str | None:
    """The path of the nearest file of a name, in a directory of it or above."""
    current = posixpath.normpath(posixpath.join("/", start))
    while True:
        candidate = posixpath.join(current, name)
        if await paths.find(call, parent.files, _at(parent, candidate)) is not None:
            return candidate.lstrip("/")
        if current == "/":
            return None
        current = posixpath.dirname(current)


@serves("Directory")
def with_error(_call: Call, _parent: Directory, *, err: str) -> Directory:
    """An error, raised here."""
    raise EngineError(err)


