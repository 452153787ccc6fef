"""``File``: one file, immutable."""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

import posixpath

from ci.engine.api.registry import Call, serves
from ci.engine.api.types import paths
from ci.engine.api.types.common import works
from ci.engine.api.types.directory_files import check_name
from ci.engine.api.types.json_value import JSONValue, parsed
from ci.engine.api.types.paths import Stat
from ci.engine.errors import EngineError
from ci.engine.graph import contenthash
from ci.engine.graph.files import SCRATCH, File, derive
from ci.engine.graph.host import hostexport
from ci.engine.graph.texts import text
from ci.engine.store.tree import Entry


async def entry(call: Call, parent: File) -> Entry:
    """The file, as its file system has it.

    Raises:
        EngineError: nothing is there, or a directory.
    """
    return await paths.require(call, parent.files, parent.path, None, shown=parent.path)


async def read(call: Call, parent: File) -> bytes:
    """Its bytes.

    Raises:
        EngineError: it is not there, or too large to be handed out.
    """
    found = await entry(call, parent)
    if found.size > text.LIMIT:
        raise EngineError(f"file size {found.size} exceeds limit {text.LIMIT}")
    parts = works(call)
    return await parts.evaluator.in_thread(parts.store.read, found.digest)


def _check_bare(name: str) -> None:
    if "/" in name:
        raise EngineError(f'file name "{name}" must not contain a directory')
    if name in {"", ".", ".."}:
        raise EngineError(f"open {'/' if name in {'', '.'} else name}: is a directory")
    check_name(name)


def made(call: Call, name: str, contents: bytes, permissions: int = 0o644) -> File:
    """A new file with some contents, in a file system of its own."""
    content, _ = works(call).store.keep(contents)
    files = derive("new_file", SCRATCH, path="/" + name, content=content, mode=permissions, owner=None)
    return File(files, "/" + name)


@serves("Query", field="file")
def new_file(call: Call, _parent: object, *, name: str, contents: str, permissions: int = 0o644) -> File:
    """A file with some contents."""
    _check_bare(name)
    return made(call, name, contents.encode("utf-8", "surrogateescape"), permissions)


@serves("File", field="contents")
async def file_contents(
    call: Call, parent: File, *, offset_lines: int | None = None, limit_lines: int | None = None
) -> str:
    """Its contents as text, all of them or some lines."""
    parts = works(call)
    found = await entry(call, parent)

    def chosen() -> str:
        return text.decoded(text.lines(parts.store.read(found.digest), offset_lines, limit_lines))

    return await parts.evaluator.in_thread(chosen)


@serves("File")
async def size(call: Call, parent: File) -> int:
    """Its size in bytes."""
    return (await entry(call, parent)).size


@serves("File", field="name")
async def file_name(call: Call, parent: File) -> str:
    """Its name."""
    await entry(call, parent)
    return posixpath.basename(parent.path)


@serves("File")
async def digest(call: Call, parent: File, *, exclude_metadata: bool = False) -> str:
    """A digest of its contents, and of its metadata (but the time) unless that is left out."""
    found = await entry(call, parent)
    if exclude_metadata:
        return contenthash.content_digest(found)
    parts = works(call)
    return await parts.evaluator.in_thread(contenthash.digest, parts.store, found)


@serves("File")
async def stat(call: Call, parent: File) -> Stat:
    """What is known of it without reading it."""
    return await paths.stat(call, parent.files, parent.path, follow=True)


@serves("File")
async def sync(call: Call, parent: File) -> File:
    """Have everything that leads here done."""
    await entry(call, parent)
    return parent


@serves("File")
async def export(call: Call, parent: File, *, path: str, allow_parent_dir_path: bool = False) -> str:
    """Write it to the host; returns where it was told to."""
    parts = works(call)
    target = paths.on_host(call, path)
    found = await entry(call, parent)
    inside = allow_parent_dir_path and target.is_dir()
    place = target / posixpath.basename(parent.path) if inside else target
    await parts.evaluator.in_thread(hostexport.export_file, parts.store, found, place)
    return str(target)


@serves("File")
def with_name(_call: Call, parent: File, *, name: str) -> File:
    """Under another name."""
    _check_bare(name)
    files = derive("renamed", parent.files, path=parent.path, to=name)
    return File(files, posixpath.join(posixpath.dirname(parent.path), name))


@serves("File")
def with_timestamps(_call: Call, parent: File, *, timestamp: int) -> File:
    """With its modification time set (seconds since the epoch)."""
    return File(derive("timestamped", parent.files, path=parent.path, seconds=timestamp), parent.path)


@serves("File")
def chown(_call: Call, parent: File, *, owner: str) -> File:
    """Belonging to somebody else."""
    return File(derive("chowned", parent.files, path=parent.path, owner=owner), parent.path)


@serves("File")
def with_replaced(
    _call: Call,
    parent: File,
    *,
    search: str,
    replacement: str,
    all: bool = False,  # noqa: A002 - the API's own name  # pylint: disable=redefined-builtin
    first_from: int | None = None,
) -> File:
    """With a text replaced: the only occurrence, all of them, or the first at or after a line."""
    files = derive(
        "text_replaced",
        parent.files,
        path=parent.path,
        old=search,
        new=replacement,
        everywhere=all,
        first_from=first_from,
    )
    return File(files, parent.path)


@serves("File", field="as_json")
async def as_json(call: Call, parent: File) -> JSONValue:
    """Its contents as a JSON document."""
    return parsed(text.decoded(await read(call, parent)))
