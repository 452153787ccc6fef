"""``File``: one file, immutable."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

from ci.engine.api.registry import Call, serves
from ci.engine.api.types import paths
from ci.engine.api.types.common import numeric_owner, works
from ci.engine.api.types.paths import Stat
from ci.engine.errors import EngineError
from ci.engine.graph import hostfiles
from ci.engine.graph.files import SCRATCH, File, derive
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.store.tree import Entry


async def _entry(call: Call, parent: File) -> Entry:
    return await paths.require(call, parent.files, parent.path, None, shown=parent.path)


@serves("Query", field="file")
def new_file(call: Call, _parent: object, *, name: str, contents: str, permissions: int = 0o644) -> File:
    """A file with some contents."""
    if "/" in name or name in ("", ".", ".."):
        raise EngineError(f"invalid file name {name!r}: it must not contain a directory")
    content, _ = works(call).store.keep(contents.encode("utf-8", "surrogateescape"))
    files = derive("new_file", SCRATCH, path="/" + name, content=content, mode=permissions, owner=None)
    return File(files, "/" + name)


@serves("File")
async def contents(
    call: Call, parent: File, *, offset_lines: int | None = None, limit_lines: int | None = None
) -> str:
    """Its contents as text, all of them or some lines."""
    entry = await _entry(call, parent)
    parts = works(call)
    data = await parts.evaluator.in_thread(parts.store.read, entry.digest)
    text = data.decode(errors="replace")
    if offset_lines is None and limit_lines is None:
        return text
    start = offset_lines or 0
    lines = text.splitlines(keepends=True)[start:]
    return "".join(lines if limit_lines is None else lines[:limit_lines])


@serves("File")
async def size(call: Call, parent: File) -> int:
    """Its size in bytes."""
    return (await _entry(call, parent)).size


@serves("File")
def name(_call: Call, parent: File) -> str:
    """Its name."""
    return posixpath.basename(parent.path)


@serves("File")
async def digest(call: Call, parent: File, *, exclude_metadata: bool = False) -> str:
    """A digest of its contents, and of its metadata unless that is left out."""
    entry = await _entry(call, parent)
    if exclude_metadata:
        return f"sha256:{entry.digest}"
    shown = (posixpath.basename(parent.path), entry.mode, entry.uid, entry.gid, entry.digest)
    return f"sha256:{fingerprint('file', *shown)}"


@serves("File")
async def stat(call: Call, parent: File) -> Stat:
    """What is known of it without reading it."""
    return await paths.stat(call, parent.files, parent.path, follow=True)


@serves("File")
async def sync(call: Call, parent: File) -> File:
    """Have everything that leads here done."""
    await _entry(call, parent)
    return parent


@serves("File")
async def export(call: Call, parent: File, *, path: str, allow_parent_dir_path: bool = False) -> str:
    """Write it to the host; returns where."""
    parts = works(call)
    target = Path(os.path.normpath(call.session.workdir / path))
    entry = await _entry(call, parent)
    if target.is_dir():
        if not allow_parent_dir_path:
            raise EngineError(
                f"destination {str(target)!r} is a directory; must be a file path unless allowParentDirPath is set"
            )
        target = target / posixpath.basename(parent.path)

    def write() -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            hostfiles.export_file(parts.store, entry, target)
        except OSError as error:
            raise EngineError(f"export to {target}: {error.strerror}") from error

    await parts.evaluator.in_thread(write)
    return str(target)


@serves("File")
def with_name(_call: Call, parent: File, *, name: str) -> File:
    """Under another name."""
    if "/" in name or name in ("", ".", ".."):
        raise EngineError(f"invalid file name {name!r}: it must not contain a directory")
    return File(derive("file_alone", parent.files, path=parent.path, name=name), "/" + name)


@serves("File")
def with_timestamps(_call: Call, parent: File, *, timestamp: int) -> File:
    """With its modification time set (seconds since the epoch)."""
    return File(derive("timestamped", parent.files, path=parent.path, seconds=timestamp), parent.path)


@serves("File")
def chown(_call: Call, parent: File, *, owner: str) -> File:
    """Belonging to somebody else."""
    who = numeric_owner(owner)
    return File(derive("chowned", parent.files, path=parent.path, owner=who), parent.path)


@serves("File")
async def with_replaced(
    call: Call,
    parent: File,
    *,
    search: str,
    replacement: str,
    all: bool = False,  # noqa: A002 - the API's own name  # pylint: disable=redefined-builtin
    first_from: int | None = None,
) -> File:
    """With a text replaced: the only occurrence, all of them, or the first at or after a line."""
    entry = await _entry(call, parent)
    parts = works(call)
    text = (await parts.evaluator.in_thread(parts.store.read, entry.digest)).decode()
    count = text.count(search) if search else 0
    if not count:
        raise EngineError(f"search string not found in {parent.path}")
    if all:
        changed = text.replace(search, replacement)
    elif first_from is not None:
        changed = _replaced_from(text, search, replacement, first_from, parent.path)
    elif count > 1:
        raise EngineError(f"search string found multiple times in {parent.path}: use all or firstFrom")
    else:
        changed = text.replace(search, replacement, 1)
    content, _ = parts.store.keep(changed.encode())
    name_ = posixpath.basename(parent.path)
    files = derive("new_file", SCRATCH, path="/" + name_, content=content, mode=entry.mode, owner=None)
    return File(files, "/" + name_)


def _replaced_from(text: str, search: str, replacement: str, line: int, path: str) -> str:
    lines = text.splitlines(keepends=True)
    start = sum(len(each) for each in lines[: max(line - 1, 0)])
    position = text.find(search, start)
    if position < 0:
        raise EngineError(f"search string not found in {path} from line {line}")
    return text[:position] + replacement + text[position + len(search) :]


