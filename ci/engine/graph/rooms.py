"""What a process is shown: its root, its mounts, its environment, its user - and where its writes go."""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ci.engine import sandbox
from ci.engine.errors import EngineError
from ci.engine.graph import users, volume
from ci.engine.graph.container import DEFAULT_PATH, Mount
from ci.engine.graph.execution import Exec
from ci.engine.graph.hostsettings import CA_TARGET
from ci.engine.graph.users import Account, Owner
from ci.engine.store import algebra
from ci.engine.store.store import Snapshot, Store
from ci.engine.store.tree import DIRECTORY, REGULAR

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.surroundings import Surroundings


@dataclass(slots=True)
class Prepared:
    """A process ready to start, and where what it writes will be found."""

    spec: sandbox.Spec
    folder: Path
    rootfs: Snapshot
    mounts: tuple[Snapshot | None, ...]
    upper: Path
    mount_uppers: dict[int, Path] = field(default_factory=dict)
    mount_files: dict[int, Path] = field(default_factory=dict)
    secrets: tuple[bytes, ...] = ()


@contextlib.asynccontextmanager
async def prepared(
    evaluator: Evaluator,
    surroundings: Surroundings,
    step: Exec,
    rootfs: Snapshot,
    mounts: tuple[Snapshot | None, ...],
    hosts: tuple[tuple[str, str], ...],
    *,
    own_network: bool = False,
) -> AsyncIterator[Prepared]:
    """Set up everything a step's process sees; its scratch space is deleted afterwards.

    ``hosts`` are extra (address, name) pairs for ``/etc/hosts``.

    Raises:
        EngineError: the step's user or working directory can't be had.
    """
    store = evaluator.store
    async with contextlib.AsyncExitStack() as stack:
        folder = store.scratch()
        stack.callback(store.discard, folder)
        builder = _Builder(evaluator, surroundings, step, folder)
        builder.account = users.account(store, rootfs, step.user)
        await builder.read_secrets()
        if step.redirect_stdin:
            builder.stdin = await evaluator.in_thread(_redirected_stdin, store, step, rootfs, mounts)
        base = _base_mounts(surroundings, folder, store, rootfs, hosts)
        shown = [
            *base,
            *[await builder.mount(stack, i, m, mounts[i]) for i, m in _outermost_first(step.mounts)],
        ]
        lower = await evaluator.in_thread(store.show, rootfs)
        root = _overlay(store, folder, "root", lower)
        yield Prepared(
            spec=builder.spec(root, tuple(shown), own_network=own_network),
            folder=folder,
            rootfs=rootfs,
            mounts=mounts,
            upper=root.upper,
            mount_uppers=builder.uppers,
            mount_files=builder.files,
            secrets=(*builder.plaintexts, *surroundings.settings.secrets),
        )


def _outermost_first(mounts: tuple[Mount, ...]) -> list[tuple[int, Mount]]:
    return sorted(
        enumerate(mounts), key=lambda pair: pair[1].target.count("/") if pair[1].target != "/" else 0
    )


def _overlay(store: Store, folder: Path, name: str, lower: tuple[Path, ...]) -> sandbox.Overlay:
    upper, work = folder / f"{name}.u", folder / f"{name}.w"
    upper.mkdir()
    upper.chmod(0o755)
    work.mkdir()
    if not lower:
        empty = store.root / "layers" / "empty"
        empty.mkdir(exist_ok=True)
        lower = (empty,)
    return sandbox.Overlay(lower, upper, work)


def _base_mounts(
    surroundings: Surroundings,
    folder: Path,
    store: Store,
    rootfs: Snapshot,
    hosts: tuple[tuple[str, str], ...],
) -> list[sandbox.Mount]:
    mounts: list[sandbox.Mount] = []
    if surroundings.settings.bundle is not None:
        mounts.append(sandbox.Bind(surroundings.settings.bundle, CA_TARGET, readonly=True))
    etc = algebra.lookup(store.trees, rootfs.tree, "/etc")
    if etc is None or etc.kind != DIRECTORY:
        return mounts
    lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost", *(f"{a}\t{n}" for a, n in hosts)]
    hosts_file = folder / "hosts"
    hosts_file.write_text("\n".join(lines) + "\n", encoding="ascii")
    listing = store.trees.load(etc.digest)
    for name, source in (("hosts", hosts_file), ("resolv.conf", Path("/etc/resolv.conf"))):
        there = listing.get(name)
        if source.is_file() and (there is None or there.kind == REGULAR):
            mounts.append(sandbox.Bind(source.resolve(), f"/etc/{name}"))
    return mounts


class _Builder:
    """Gathers one process's mounts and environment."""

    def __init__(self, evaluator: Evaluator, surroundings: Surroundings, step: Exec, folder: Path) -> None:
        self._evaluator = evaluator
        self._surroundings = surroundings
        self._step = step
        self._folder = folder
        self.account = Account(users.ROOT, "/root")
        self.uppers: dict[int, Path] = {}
        self.files: dict[int, Path] = {}
        self.plaintexts: list[bytes] = []
        self.stdin: bytes | None = step.stdin.encode() if step.stdin else None
        self._secret_env: list[tuple[str, str]] = []

    async def read_secrets(self) -> None:
        """Read the secrets that go into the environment; all of them are scrubbed from outputs."""
        for name, secret in self._step.secret_env:
            plaintext = await self._surroundings.reveal(secret)
            self.plaintexts.append(plaintext)
            self._secret_env.append((name, plaintext.decode(errors="surrogateescape")))

    async def mount(
        self, stack: contextlib.AsyncExitStack, position: int, mount: Mount, snapshot: Snapshot | None
    ) -> sandbox.Mount:
        """What the sandbox is to put at one mount's target."""
        match mount.kind:
            case "directory":
                assert snapshot is not None
                return await self._directory(position, mount, snapshot)
            case "file":
                assert snapshot is not None
                return await self._evaluator.in_thread(self._file, position, mount, snapshot)
            case "cache":
                return await self._cache(stack, mount)
            case "tmpfs":
                return sandbox.Tmpfs(mount.target, mount.size)
            case "secret":
                assert mount.secret is not None
                content = await self._surroundings.reveal(mount.secret)
                self.plaintexts.append(content)
                owner = mount.owner or users.ROOT
                return sandbox.Data(content, mount.target, mount.mode, owner.uid, owner.gid)
            case _:
                return sandbox.Bind(Path(mount.socket), mount.target)

    async def _directory(self, position: int, mount: Mount, snapshot: Snapshot) -> sandbox.Mount:
        store = self._evaluator.store
        lower = await self._evaluator.in_thread(store.show, snapshot)
        overlay = _overlay(store, self._folder, f"m{position}", lower)
        if mount.owner is not None and store.ownership.on_disk:
            os.chown(overlay.upper, mount.owner.uid, mount.owner.gid)
        if not mount.readonly:
            self.uppers[position] = overlay.upper
        return sandbox.OverlayMount(overlay, mount.target, readonly=mount.readonly)

    def _file(self, position: int, mount: Mount, snapshot: Snapshot) -> sandbox.Mount:
        store = self._evaluator.store
        entry = store.trees.load(snapshot.tree)["file"]
        path = self._folder / f"f{position}"
        with store.open(entry.digest) as source, path.open("xb") as target:
            shutil.copyfileobj(source, target)
        owner = mount.owner or Owner(entry.uid, entry.gid)
        if store.ownership.on_disk:
            os.chown(path, owner.uid, owner.gid)
        path.chmod(entry.mode)
        if not mount.readonly:
            self.files[position] = path
        return sandbox.Bind(path, mount.target, readonly=mount.readonly)

    async def _cache(self, stack: contextlib.AsyncExitStack, mount: Mount) -> sandbox.Mount:
        assert mount.cache is not None
        store = self._evaluator.store
        folder = mount.cache.folder(store)
        source = None
        if mount.cache.source is not None and not folder.is_dir():
            files, path = mount.cache.source.files, mount.cache.source.path
            whole = await self._evaluator.evaluate(files)
            source = Snapshot(algebra.subtree(store.trees, whole.tree, path))
        await self._evaluator.in_thread(volume.populate, store, folder, source, mount.owner)
        own = await stack.enter_async_context(volume.held(folder, mount.sharing))
        return sandbox.Bind(own, mount.target)

    def spec(
        self, root: sandbox.Overlay, mounts: tuple[sandbox.Mount, ...], *, own_network: bool
    ) -> sandbox.Spec:
        """The sandbox's own description of the process."""
        step, owner = self._step, self.account.owner
        return sandbox.Spec(
            root=root,
            args=step.args,
            env=tuple(self._environment().items()),
            cwd=step.cwd,
            uid=owner.uid,
            gid=owner.gid,
            groups=self.account.groups,
            mounts=mounts,
            stdin=self.stdin,
            init=step.init,
            privileged=step.privileged,
            own_network=own_network,
        )

    def _environment(self) -> dict[str, str]:
        env = {"PATH": DEFAULT_PATH, "HOME": self.account.home}
        env.update(self._surroundings.settings.variables)
        if self._step.nesting:
            env.update(self._surroundings.session_variables)
        env.update(self._step.env)
        env.update(self._step.volatile_env)
        env.update(self._secret_env)
        return env


def _redirected_stdin(
    store: Store, step: Exec, rootfs: Snapshot, mounts: tuple[Snapshot | None, ...]
) -> bytes:
    path = posixpath.normpath(posixpath.join(step.cwd, step.redirect_stdin))
    tree, inner = rootfs.tree, path
    for mount, snapshot in zip(step.mounts, mounts, strict=True):
        if snapshot is not None and mount.covers(path):
            tree, inner = snapshot.tree, path.removeprefix(mount.target.rstrip("/")) or "/file"
    entry = algebra.lookup(store.trees, tree, inner)
    if entry is None or entry.kind != REGULAR:
        raise EngineError(f"{path}: no such file or directory")
    return store.read(entry.digest)
