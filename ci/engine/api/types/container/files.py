"""``Container``: its file system - files and directories in and out, and what is mounted."""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

from dataclasses import replace

from ci.engine.api.registry import Call, serves
from ci.engine.api.types import paths
from ci.engine.api.types.common import container_owner, container_path, expanded, selection, works
from ci.engine.api.types.paths import Stat
from ci.engine.graph import container as containers
from ci.engine.graph.container import Container, Mount
from ci.engine.graph.files import SCRATCH, Directory, File, Files, derive
from ci.engine.graph.host.socket import Socket
from ci.engine.graph.secret import Secret
from ci.engine.graph.volume import CacheVolume
from ci.engine.store.tree import DIRECTORY


def _place(parent: Container, path: str) -> tuple[Files, str]:
    return parent.place(path.rstrip("/") or "/")


@serves("Container")
def rootfs(_call: Call, parent: Container) -> Directory:
    """The root file system, without what is mounted."""
    return Directory(parent.rootfs)


@serves("Container")
def with_rootfs(_call: Call, parent: Container, *, directory: Directory) -> Container:
    """With another root file system."""
    files = containers.files_of(directory)
    if (
        files == SCRATCH
    ):  # an empty root, which somebody wanted: that can be exported, a container without one not
        files = derive("subdirectory", SCRATCH, path="/")
    return replace(parent, rootfs=files, image_ref=None)


@serves("Container")
async def directory(call: Call, parent: Container, *, path: str, expand: bool = False) -> Directory:
    """A directory of its file system."""
    files, inner = _place(parent, container_path(parent, path, expand=expand))
    await paths.require(call, files, inner, DIRECTORY, shown=path)
    return Directory(files, inner)


@serves("Container")
async def file(call: Call, parent: Container, *, path: str, expand: bool = False) -> File:
    """A file of its file system."""
    files, inner = _place(parent, container_path(parent, path, expand=expand))
    await paths.require(call, files, inner, None, shown=path)
    return File(files, inner)


@serves("Container")
async def exists(
    call: Call,
    parent: Container,
    *,
    path: str,
    expected_type: str | None = None,
    do_not_follow_symlinks: bool = False,
    expand: bool = False,
) -> bool:
    """Whether something is at a path."""
    files, inner = _place(parent, container_path(parent, path, expand=expand))
    return await paths.exists(call, files, inner, expected_type, follow=not do_not_follow_symlinks)


@serves("Container")
async def stat(call: Call, parent: Container, *, path: str, do_not_follow_symlinks: bool = False) -> Stat:
    """What is at a path."""
    files, inner = _place(parent, container_path(parent, path, expand=False))
    return await paths.stat(call, files, inner, follow=not do_not_follow_symlinks)


@serves("Container")
async def with_new_file(
    call: Call,
    parent: Container,
    *,
    path: str,
    contents: str,
    permissions: int = 0o644,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """With a new file."""
    who = await container_owner(call, parent, owner, expand=expand)
    digest, _ = works(call).store.keep(contents.encode("utf-8", "surrogateescape"))
    return parent.edited(
        container_path(parent, path, expand=expand),
        lambda files, inner: derive(
            "new_file", files, path=inner, content=digest, mode=permissions, owner=who
        ),
    )


@serves("Container")
async def with_file(
    call: Call,
    parent: Container,
    *,
    path: str,
    source: File,
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """With a copy of a file."""
    who = await container_owner(call, parent, owner, expand=expand)
    return parent.edited(
        container_path(parent, path, expand=expand),
        lambda files, inner: derive(
            "copy_file",
            files,
            source.files,
            path=inner,
            source_path=source.path,
            mode=permissions,
            owner=who,
        ),
    )


@serves("Container")
async def with_files(
    call: Call,
    parent: Container,
    *,
    path: str,
    sources: list[File],
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """With copies of several files in a directory."""
    target = container_path(parent, path, expand=expand).rstrip("/") + "/"
    for source in sources:
        parent = await with_file(
            call, parent, path=target, source=source, permissions=permissions, owner=owner
        )
    return parent


@serves("Container")
async def with_directory(
    call: Call,
    parent: Container,
    *,
    path: str,
    source: Directory,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
    owner: str = "",
    expand: bool = False,
    permissions: int | None = None,
) -> Container:
    """With a copy of a directory, merged with what is there."""
    who = await container_owner(call, parent, owner, expand=expand)
    return parent.edited(
        container_path(parent, path, expand=expand).rstrip("/") or "/",
        lambda files, inner: derive(
            "copy_directory",
            files,
            paths.gitignored(source.files, source.path) if gitignore else source.files,
            path=inner,
            source_path="/" if gitignore else source.path,
            selection=selection(include, exclude),
            owner=who,
            permissions=permissions,
        ),
    )


@serves("Container")
def with_symlink(
    _call: Call, parent: Container, *, target: str, link_name: str, expand: bool = False
) -> Container:
    """With a symlink."""
    target = expanded(parent, target) if expand else target
    return parent.edited(
        container_path(parent, link_name, expand=expand),
        lambda files, inner: derive("make_symlink", files, path=inner, target=target),
    )


@serves("Container")
def without_directory(_call: Call, parent: Container, *, path: str, expand: bool = False) -> Container:
    """Without a directory."""
    return _without(parent, [path], expand=expand)


@serves("Container")
def without_file(_call: Call, parent: Container, *, path: str, expand: bool = False) -> Container:
    """Without a file."""
    return _without(parent, [path], expand=expand)


@serves("Container")
def without_files(_call: Call, parent: Container, *, paths: list[str], expand: bool = False) -> Container:
    """Without some files."""
    return _without(parent, paths, expand=expand)


def _without(parent: Container, names: list[str], *, expand: bool) -> Container:
    for name in names:
        parent = parent.edited(
            container_path(parent, name, expand=expand).rstrip("/") or "/",
            lambda files, inner: derive("without", files, paths=(inner,)),
        )
    return parent


@serves("Container")
async def with_mounted_directory(
    call: Call,
    parent: Container,
    *,
    path: str,
    source: Directory,
    owner: str = "",
    read_only: bool = False,
    expand: bool = False,
) -> Container:
    """With a directory mounted."""
    files = containers.files_of(source)
    who = await container_owner(call, parent, owner, expand=expand)
    if who is not None:
        files = derive("chowned", files, path="/", owner=who)
    return parent.with_mount(
        Mount(
            _target(parent, path, expand),
            "directory",
            files,
            owner=who,
            readonly=read_only,
            origin=source if source.path != "/" else None,
        )
    )


@serves("Container")
async def with_mounted_file(
    call: Call, parent: Container, *, path: str, source: File, owner: str = "", expand: bool = False
) -> Container:
    """With a file mounted."""
    who = await container_owner(call, parent, owner, expand=expand)
    files = containers.file_alone(source)
    return parent.with_mount(Mount(_target(parent, path, expand), "file", files, owner=who))


@serves("Container")
async def with_mounted_cache(
    call: Call,
    parent: Container,
    *,
    path: str,
    cache: CacheVolume,
    source: Directory | None = None,
    sharing: str | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """With a cache volume mounted."""
    who = await container_owner(call, parent, owner or cache.owner, expand=expand)
    mode = cache.sharing if sharing in {None, "SHARED"} else sharing  # an SDK does not send the default
    volume = replace(cache, source=source or cache.source, sharing=mode, owner=owner or cache.owner)
    target = _target(parent, path, expand)
    return parent.with_mount(Mount(target, "cache", cache=volume, owner=who, sharing=mode))


@serves("Container")
def with_mounted_temp(
    _call: Call, parent: Container, *, path: str, size: int | None = None, expand: bool = False
) -> Container:
    """With an empty directory in memory mounted."""
    return parent.with_mount(Mount(_target(parent, path, expand), "tmpfs", size=size or None))


@serves("Container")
async def with_mounted_secret(
    call: Call,
    parent: Container,
    *,
    path: str,
    source: Secret,
    owner: str = "",
    mode: int = 0o400,
    expand: bool = False,
) -> Container:
    """With a secret mounted as a file."""
    who = await container_owner(call, parent, owner, expand=expand)
    return parent.with_mount(
        Mount(_target(parent, path, expand), "secret", secret=source, owner=who, mode=mode)
    )


@serves("Container")
async def with_unix_socket(
    call: Call, parent: Container, *, path: str, source: Socket, owner: str = "", expand: bool = False
) -> Container:
    """With a socket of the host's mounted."""
    who = await container_owner(call, parent, owner, expand=expand)
    return parent.with_mount(Mount(_target(parent, path, expand), "socket", socket=source.path, owner=who))


@serves("Container")
def without_mount(_call: Call, parent: Container, *, path: str, expand: bool = False) -> Container:
    """Without a mount."""
    return parent.without_mount(_target(parent, path, expand))


@serves("Container")
def without_unix_socket(_call: Call, parent: Container, *, path: str, expand: bool = False) -> Container:
    """Without a socket."""
    return parent.without_mount(_target(parent, path, expand), kinds=frozenset(("socket",)))


def _target(parent: Container, path: str, expand: bool) -> str:
    return container_path(parent, path, expand=expand).rstrip("/") or "/"
