"""``Changeset``: what differs between two directories, and its way onto another one or the host."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.api.types import paths
from ci.engine.api.types.common import works
from ci.engine.api.types.directory import entry
from ci.engine.api.types.file import made
from ci.engine.graph.changes import Changed, DiffStat, changed_paths
from ci.engine.graph.changes import diff_stats as stats_of
from ci.engine.graph.files import SCRATCH, Directory, File, derive
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.host import hostexport

_PATCH_NAME = "diff.patch"


@dataclass(frozen=True)
class Changeset(Digested):
    """What makes ``after`` of ``before``."""

    before: Directory
    after: Directory


serves_attributes("Changeset", "before", "after")
serves_attributes("DiffStat", "path", "kind", "added_lines", "removed_lines", "old_path")


@serves("Query", field="changeset")
def empty(_call: Call, _parent: object) -> Changeset:
    """No changes."""
    return Changeset(Directory(SCRATCH), Directory(SCRATCH))


@serves("Directory")
def changes(_call: Call, parent: Directory, *, from_: Directory) -> Changeset:
    """What makes it of another directory."""
    return Changeset(from_, parent)


@serves("Directory")
def with_changes(_call: Call, parent: Directory, *, changes: Changeset) -> Directory:  # pylint: disable=redefined-outer-name
    """With the changes between two other directories done to it."""
    before, after = changes.before, changes.after
    files = derive(
        "with_changes",
        parent.files,
        before.files,
        after.files,
        path=parent.path,
        from_path=before.path,
        to_path=after.path,
    )
    return replace(parent, files=files)


@serves("Directory")
def with_patch(call: Call, parent: Directory, *, patch: str) -> Directory:
    """With a patch in git's format applied."""
    return with_patch_file(call, parent, patch=made(call, "patch", patch.encode("utf-8", "surrogateescape")))


@serves("Directory")
def with_patch_file(_call: Call, parent: Directory, *, patch: File) -> Directory:
    """With the patch that a file holds applied."""
    files = derive("patched", parent.files, patch.files, path=parent.path, patch_path=patch.path)
    return replace(parent, files=files)


async def _trees(call: Call, parent: Changeset) -> tuple[str, str]:
    return (await entry(call, parent.before)).digest, (await entry(call, parent.after)).digest


async def _changed(call: Call, parent: Changeset) -> Changed:
    return changed_paths(works(call).store.trees, *await _trees(call, parent))


@serves("Changeset")
async def sync(call: Call, parent: Changeset) -> Changeset:
    """Have everything that leads here done."""
    await _trees(call, parent)
    return parent


@serves("Changeset")
async def added_paths(call: Call, parent: Changeset) -> list[str]:
    """Files and directories (a slash behind) that are new."""
    return list((await _changed(call, parent)).added)


@serves("Changeset")
async def modified_paths(call: Call, parent: Changeset) -> list[str]:
    """Files that are others than before."""
    return list((await _changed(call, parent)).modified)


@serves("Changeset")
async def removed_paths(call: Call, parent: Changeset) -> list[str]:
    """Files and directories (a slash behind) that are gone; nothing below a directory that is."""
    return list((await _changed(call, parent)).removed)


@serves("Changeset")
async def is_empty(call: Call, parent: Changeset) -> bool:
    """Whether no file differs; directories alone do not count."""
    changed = await _changed(call, parent)
    every = (*changed.added, *changed.modified, *changed.all_removed)
    return all(path.endswith("/") for path in every)


@serves("Changeset")
async def diff_stats(call: Call, parent: Changeset) -> list[DiffStat]:
    """How each path differs."""
    parts = works(call)
    return await parts.evaluator.in_thread(stats_of, parts.store, *await _trees(call, parent))


def _merged(ours: Changeset, theirs: Changeset, on_conflict: str, names: str) -> Changeset:
    given = (ours.before, ours.after, theirs.before, theirs.after)
    files = derive(
        "merged_changes",
        *(each.files for each in given),
        roots=tuple(each.path for each in given),
        on_conflict=on_conflict,
        names=names,
    )
    return Changeset(ours.before, Directory(files))


@serves("Changeset")
def with_changeset(
    _call: Call,
    parent: Changeset,
    *,
    changes: Changeset,  # pylint: disable=redefined-outer-name
    on_conflict: str = "FAIL",
) -> Changeset:
    """With the changes of another one too."""
    return _merged(parent, changes, on_conflict, "theirs")


@serves("Changeset")
def with_changesets(
    _call: Call,
    parent: Changeset,
    *,
    changes: list[Changeset],  # pylint: disable=redefined-outer-name
    on_conflict: str = "FAIL",
) -> Changeset:
    """With the changes of several others too."""
    names = " ".join(f"branch_{number}" for number in range(len(changes)))
    for each in changes:
        parent = _merged(parent, each, on_conflict, names)
    return parent


@serves("Changeset")
def layer(_call: Call, parent: Changeset) -> Directory:
    """What is new or changed, as a directory."""
    before, after = parent.before, parent.after
    return Directory(derive("additions", before.files, after.files, path=before.path, upper_path=after.path))


@serves("Changeset")
def as_patch(_call: Call, parent: Changeset) -> File:
    """The changes as a patch in git's format."""
    before, after = parent.before, parent.after
    files = derive(
        "patch_file", before.files, after.files, path=before.path, after_path=after.path, name=_PATCH_NAME
    )
    return File(files, posixpath.join("/", _PATCH_NAME))


@serves("Changeset")
async def export(call: Call, parent: Changeset, *, path: str) -> str:
    """Do the changes to a directory of the host; returns where."""
    parts = works(call)
    target = paths.on_host(call, path)
    changed = await _changed(call, parent)
    tree = (await entry(call, layer(call, parent))).digest

    def write() -> None:
        hostexport.remove(target, list(changed.removed))
        hostexport.export_directory(parts.store, tree, target, wipe=False)

    await parts.evaluator.in_thread(write)
    return str(target)
