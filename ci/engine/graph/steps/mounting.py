"""Shows a step its mounts, and remembers where what it writes to them will be found."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ci.engine import sandbox
from ci.engine.graph import volume
from ci.engine.graph.container import Mount
from ci.engine.graph.steps import users
from ci.engine.graph.steps.execution import PLAIN, Given
from ci.engine.graph.steps.users import Owner
from ci.engine.graph.volume import CacheVolume
from ci.engine.store import algebra
from ci.engine.store.tree import Snapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.secret import Secret


def overlay(folder: Path, name: str, lower: tuple[Path, ...]) -> sandbox.Overlay:
    """Layers, with a place in ``folder`` for what is written over them."""
    upper, work = folder / f"{name}.u", folder / f"{name}.w"
    upper.mkdir()
    upper.chmod(0o755)
    return sandbox.Overlay(lower, upper, work, disposable=True)


@dataclass(slots=True)
class Mounting:
    """One process's mounts on their way into the sandbox; scratch space is in ``folder``.

    ``uppers`` and ``files`` say where the directory and file mounts, by position, will have been changed.
    """

    evaluator: Evaluator
    reveal: Callable[[Secret], Awaitable[bytes]]
    given: Given
    folder: Path
    uppers: dict[int, Path] = field(default_factory=dict)
    files: dict[int, Path] = field(default_factory=dict)
    plaintexts: list[bytes] = field(default_factory=list)

    async def show(self, stack: contextlib.AsyncExitStack, index: int, mount: Mount) -> sandbox.Mount:
        """What the sandbox is to put at a mount's target; what it holds is given back when ``stack`` ends."""
        if mount.secret is not None:
            return await self._secret(mount, mount.secret)
        if mount.cache is not None:
            return await self._cache(stack, mount, mount.cache)
        if mount.kind == "directory":
            return await self._directory(index, mount)
        if mount.kind == "file":
            return await self.evaluator.in_thread(self._file, index, mount)
        if mount.kind == "tmpfs":
            return sandbox.Tmpfs(mount.target, mount.size, 0o755)
        return sandbox.Bind(self._socket(index, Path(mount.socket)), mount.target)

    def _socket(self, index: int, path: Path) -> Path:
        """The host's socket, or one that nobody listens on: that turns out when it is used."""
        if path.exists():
            return path
        folder = os.open(self.folder, os.O_PATH)
        try:
            with socket.socket(socket.AF_UNIX) as unheard:
                unheard.bind(f"/proc/self/fd/{folder}/s{index}")  # a path of its own may be too long for it
        finally:
            os.close(folder)
        return self.folder / f"s{index}"

    async def _secret(self, mount: Mount, secret: Secret) -> sandbox.Mount:
        content = await self.reveal(secret)
        self.plaintexts.append(content)
        owner = mount.owner or users.ROOT
        return sandbox.Data(content, mount.target, mount.mode, owner.uid, owner.gid)

    async def _directory(self, index: int, mount: Mount) -> sandbox.Mount:
        store = self.evaluator.store
        lower = await self.evaluator.in_thread(store.show, self.given.mounts[index])
        layered = overlay(self.folder, f"m{index}", lower)
        mode, uid, gid = self.given.tops.get(index, PLAIN)
        owner = mount.owner or Owner(uid, gid)
        if store.ownership.on_disk:
            os.chown(layered.upper, owner.uid, owner.gid)
        layered.upper.chmod(mode)
        if not mount.readonly:
            self.uppers[index] = layered.upper
        return sandbox.OverlayMount(layered, mount.target, readonly=mount.readonly)

    def _file(self, index: int, mount: Mount) -> sandbox.Mount:
        store = self.evaluator.store
        entry = store.trees.load(self.given.mounts[index].tree)["file"]
        path = self.folder / f"f{index}"
        with store.open(entry.digest) as source, path.open("xb") as target:
            shutil.copyfileobj(source, target)
        owner = mount.owner or Owner(entry.uid, entry.gid)
        if store.ownership.on_disk:
            os.chown(path, owner.uid, owner.gid)
        path.chmod(entry.mode)
        if not mount.readonly:
            self.files[index] = path
        return sandbox.Bind(path, mount.target, readonly=mount.readonly)

    async def _cache(
        self, stack: contextlib.AsyncExitStack, mount: Mount, cache: CacheVolume
    ) -> sandbox.Mount:
        store = self.evaluator.store
        folder = cache.folder(store)
        source = None
        if cache.source is not None and not folder.is_dir():
            whole = await self.evaluator.evaluate(cache.source.files)
            source = Snapshot(algebra.subtree(store.trees, whole.tree, cache.source.path))
        await self.evaluator.in_thread(volume.populate, store, folder, source, mount.owner)
        own = await stack.enter_async_context(volume.held(folder, mount.sharing))
        return sandbox.Bind(own, mount.target)
