"""What a step leaves behind: its file systems as trees, its outputs, and where they were redirected to."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ci.engine.graph.steps import capture
from ci.engine.graph.steps.execution import Exec, Result
from ci.engine.graph.steps.rooms import Prepared
from ci.engine.store import algebra, layers
from ci.engine.store.store import Store
from ci.engine.store.tree import Snapshot


def harvest(store: Store, step: Exec, room: Prepared, outputs: Mapping[str, str], code: int) -> Result:
    """The result of a step that has ended with ``code``; ``outputs`` are its streams' sha256. Blocking.

    Raises:
        OSError: the disk is full.
    """
    actor = (room.spec.uid, room.spec.gid)
    rootfs = store.capture(room.upper, room.given.rootfs, actor)
    mounts = dict(room.given.mounts)
    for index, upper in room.mount_uppers.items():
        mounts[index] = store.capture(upper, mounts[index], actor)
    for index, source in room.mount_files.items():
        mounts[index] = _recaptured_file(store, mounts[index], source)
    result = Result(code, outputs["stdout"], outputs["stderr"], outputs["combined"], rootfs, mounts)
    for path, stream in ((step.redirect_stdout, "stdout"), (step.redirect_stderr, "stderr")):
        if path:
            result = _redirected(store, step, result, path, outputs[stream])
    return result


def _recaptured_file(store: Store, before: Snapshot, path: Path) -> Snapshot:
    entry = store.trees.load(before.tree)["file"]
    digest = layers.digest_file(path)
    if digest == entry.digest:
        return before
    with path.open("rb") as stream:
        blob = store.blobs.put(stream)
    changed = entry._replace(digest=blob.digest.removeprefix("sha256:"), size=blob.size)
    return Snapshot(store.trees.save({"file": changed}))


def _redirected(store: Store, step: Exec, result: Result, path: str, digest: str) -> Result:
    """The result with an output stream also written to a file of the step's."""
    target = posixpath.normpath(posixpath.join(step.cwd, path))
    data = capture.read_text(store, digest)
    entry = store.new_file(data)
    holders = [i for i, mount in enumerate(step.mounts) if mount.kind == "directory" and mount.covers(target)]
    if not holders:
        tree = algebra.put(store.trees, result.rootfs.tree, target, entry)
        return replace(result, rootfs=Snapshot(tree, result.rootfs.near))
    index = max(holders, key=lambda i: len(step.mounts[i].target))
    before = result.mounts[index]
    inner = target.removeprefix(step.mounts[index].target.rstrip("/"))
    changed = Snapshot(algebra.put(store.trees, before.tree, inner, entry), before.near)
    return replace(result, mounts={**result.mounts, index: changed})
