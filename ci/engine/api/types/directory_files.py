"""``Directory``: with and without files, directories and links in it."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from ci.engine.api.registry import Call, serves
from ci.engine.api.types.common import selection, works
from ci.engine.api.types.directory import at
from ci.engine.errors import EngineError
from ci.engine.graph.files import Directory, File, derive


def _derived(parent: Directory, operation: str, **arguments: object) -> Directory:
    return replace(parent, files=derive(operation, parent.files, **arguments))


def check_name(path: str) -> None:
    """Refuse a file name that no file system takes."""
    if len(posixpath.basename(path.rstrip("/")).encode("utf-8", "surrogateescape")) > 255:
        raise EngineError("File name length exceeds the maximum supported 255 characters")


@serves("Directory")
def with_new_file(
    call: Call, parent: Directory, *, path: str, contents: str, permissions: int = 0o644
) -> Directory:
    """With a new file, or other contents in one that is there."""
    check_name(path)
    content, _ = works(call).store.keep(contents.encode("utf-8", "surrogateescape"))
    return _derived(parent, "new_file", path=at(parent, path), content=content, mode=permissions, owner=None)


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
    check_name(path)
    target = at(parent, path) + ("/" if path.endswith(("/", "/.")) else "")
    files = derive(
        "copy_file",
        parent.files,
        source.files,
        path=target,
        source_path=source.path,
        mode=permissions,
        owner=owner,
    )
    return replace(parent, files=files)


@serves("Directory")
def with_files(
    call: Call, parent: Directory, *, path: str, sources: list[File], permissions: int | None = None
) -> Directory:
    """With copies of several files in a directory of it."""
    for source in sources:
        target = posixpath.join(path, posixpath.basename(source.path))
        parent = with_file(call, parent, path=target, source=source, permissions=permissions)
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
        source.files,
        path=at(parent, path),
        source_path=source.path,
        selection=selection(include, exclude),
        gitignore=gitignore,
        owner=owner,
        permissions=permissions,
    )
    return replace(parent, files=files)


@serves("Directory")
def with_new_directory(_call: Call, parent: Directory, *, path: str, permissions: int = 0o644) -> Directory:
    """With an empty directory in it."""
    if posixpath.normpath(path).startswith("../"):
        raise EngineError(f"cannot create directory outside parent: {posixpath.normpath(path)}")
    return _derived(parent, "make_directory", path=at(parent, path), mode=permissions, owner=None)


@serves("Directory")
def with_symlink(_call: Call, parent: Directory, *, target: str, link_name: str) -> Directory:
    """With a symlink in it."""
    return _derived(parent, "make_symlink", path=at(parent, link_name), target=target)


@serves("Directory")
def with_timestamps(_call: Call, parent: Directory, *, timestamp: int) -> Directory:
    """With the modification time of everything in it set (seconds since the epoch)."""
    return _derived(parent, "timestamped", path=parent.path, seconds=timestamp)


@serves("Directory")
def without_directory(_call: Call, parent: Directory, *, path: str) -> Directory:
    """Without a directory in it."""
    return _derived(parent, "without", paths=(at(parent, path),))


@serves("Directory")
def without_file(_call: Call, parent: Directory, *, path: str) -> Directory:
    """Without a file in it."""
    return _derived(parent, "without", paths=(at(parent, path),))


@serves("Directory")
def without_files(_call: Call, parent: Directory, *, paths: list[str]) -> Directory:
    """Without some files in it."""
    return _derived(parent, "without", paths=tuple(at(parent, path) for path in paths))


@serves("Directory")
def chown(_call: Call, parent: Directory, *, path: str, owner: str) -> Directory:
    """With what is at a path belonging to somebody else."""
    return _derived(parent, "chowned", path=at(parent, path), owner=owner)


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
    chosen = selection(include, exclude)
    return Directory(
        derive("filtered", parent.files, path=parent.path, selection=chosen, gitignore=gitignore)
    )


@serves("Directory")
def diff(_call: Call, parent: Directory, *, other: Directory) -> Directory:
    """What another directory adds to it or changes."""
    files = derive("additions", parent.files, other.files, path=parent.path, upper_path=other.path)
    return Directory(files)


@serves("Directory")
def with_error(_call: Call, parent: Directory, *, err: str) -> Directory:
    """An error, raised here; none when its message is empty."""
    if err:
        raise EngineError(err)
    return parent
