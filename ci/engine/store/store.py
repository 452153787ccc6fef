"""The store: file systems by content, and the directories that show them to a step."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from ci.engine.store import algebra, layers, leases, seals
from ci.engine.store.blobs import Blobs
from ci.engine.store.index import BrokenIndex, Index, LayerRow, boot_id, broken
from ci.engine.store.trash import Trash
from ci.engine.store.tree import EMPTY, REGULAR, Change, Entry, Lost, Put, Snapshot, Trees

#: How many layers a step's root may have before it is written again as one on top of its base.
MAX_DEPTH = 100


class Store:
    """One state folder's trees, layers, blobs and scratch space, shared by the sessions that use it."""

    def __init__(self, root: Path, ownership: layers.Ownership) -> None:
        self.root = root
        self.ownership = ownership
        for name in ("layers", "scratch", "volumes"):
            (root / name).mkdir(parents=True, exist_ok=True)
        leases.sweep(root)
        self._replace_broken_index(root / "index.sqlite")
        self._lease = leases.Lease(root)
        self.blobs = Blobs(root / "blobs", self._lease.since, self._lease.sharing)
        try:
            self.index = Index(root / "index.sqlite", self._lease)
        except BrokenIndex:
            self._replace_broken_index(root / "index.sqlite")
            self.index = Index(root / "index.sqlite", self._lease)
        self.trees = Trees(self.index)
        self._writing = threading.RLock()
        self._serial = 0
        self._trash = Trash()
        self._sound: set[int] = set()
        self.closed = False
        self._forget_torn_layers()

    def close(self) -> None:
        """Write what is buffered and give the scratch space back."""
        self.closed = True
        try:
            with contextlib.suppress(sqlite3.OperationalError):  # the disk is full: what is lost is time
                self._sync()
            self.index.close()
        finally:
            self._trash.close()
            self._lease.end()

    @staticmethod
    def _replace_broken_index(path: Path) -> None:
        """Start anew where a session found the index itself damaged; what it knew is made again."""
        if broken(path).exists():
            for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
                each.unlink(missing_ok=True)
            broken(path).unlink(missing_ok=True)

    def sharing(self) -> contextlib.AbstractContextManager[None]:
        """Hold the collector off while something is looked up and marked as used."""
        return self._lease.sharing()

    def scratch(self) -> Path:
        """A new, empty directory of this session's own, on the same file system as the layers."""
        with self._writing:
            self._serial += 1
            folder = self._lease.folder / f"{self._serial:x}"
        folder.mkdir()
        return folder

    def discard(self, folder: Path) -> None:
        """Give scratch space back: it is deleted when there is time."""
        self._trash.add(folder)

    def _forget_torn_layers(self) -> None:
        """After a reboot, forget the layers that no session had synced: a power cut may have torn them."""
        durable, now = self.index.fact("boot", "durable"), boot_id()
        if durable is not None and durable["boot"] != now:
            self.index.forget_layers(self.index.layers_after(durable["layer"]))
        if durable is None or durable["boot"] != now:
            self.index.record("boot", "durable", {"boot": now, "layer": self.index.last_layer()})

    def _sync(self) -> None:
        last = self.index.last_layer()
        durable = self.index.fact("boot", "durable")
        if durable is None or last > durable["layer"]:
            os.sync()
            self.index.record("boot", "durable", {"boot": boot_id(), "layer": last})

    # -- contents

    def locate(self, digest: str) -> Path:
        """Where the bytes with this sha256 can be read.

        Raises:
            Lost: nowhere.
        """
        found = self.index.content(digest)
        if found is not None:
            path = self.layer_path(found[0]) / found[1]
            if path.is_file():
                return path
        blob = self.blobs.path(f"sha256:{digest}")
        if blob.is_file():
            return blob
        raise Lost(f"content sha256:{digest} is no longer in {self.root}; run again to make it anew")

    def open(self, digest: str) -> BinaryIO:
        """Open the bytes with this sha256 for reading; Lost when there are none, or others by now."""
        return self._verified(digest).open("rb")

    def read(self, digest: str) -> bytes:
        """The bytes with this sha256; Lost when there are none, or others by now."""
        data = self.locate(digest).read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            self._drop_content(digest)
            raise Lost(f"content sha256:{digest} is damaged; run again to make it anew")
        return data

    def require(self, tree: str) -> None:
        """Raise Lost when the bytes of a file in a tree are nowhere."""
        for digest in {entry.digest for _, entry in self.files(tree)}:
            self.locate(digest)

    def _verified(self, digest: str) -> Path:
        path = self.locate(digest)
        if layers.digest_file(path) != digest:
            self._drop_content(digest)
            raise Lost(f"content sha256:{digest} is damaged; run again to make it anew")
        return path

    def _drop_content(self, digest: str) -> None:
        """Forget the place that holds other bytes than it should, and what is built on it."""
        found = self.index.content(digest)
        if found is not None:
            self.index.forget_layers([found[0]])
        self.blobs.path(f"sha256:{digest}").unlink(missing_ok=True)

    def keep(self, content: bytes) -> tuple[str, int]:
        """Keep bytes and return their sha256 and size."""
        blob = self.blobs.put_bytes(content)
        return blob.digest.removeprefix("sha256:"), blob.size

    def new_file(self, content: bytes, mode: int = 0o644, uid: int = 0, gid: int = 0) -> Entry:
        """A regular file's entry for some bytes, which are kept."""
        digest, size = self.keep(content)
        return Entry(REGULAR, mode, uid, gid, digest, size)

    # -- layers

    def layer_path(self, number: int) -> Path:
        """The directory of a layer."""
        return self.root / "layers" / f"{number:x}"

    def chain(self, number: int) -> tuple[Path, ...]:
        """The directories of a layer and all below it, top-most first; Lost when one is missing."""
        found = []
        current: int | None = number
        while current is not None:
            row = self.index.layer(current)
            path = self.layer_path(current)
            if row is None or not path.is_dir():
                raise Lost(f"layer {current:x} is no longer in {self.root}")
            found.append(path)
            current = row.parent
        return tuple(found)

    def _sealed(self, number: int) -> None:
        """Make sure that a layer and all below it are as they were written, once in a session.

        Raises:
            Lost: one is not; it is forgotten.
        """
        chain = self.chain(number)
        current: int | None = number
        for path in chain:
            assert current is not None  # noqa: S101  # chain() has just followed the same rows
            row = self.index.layer(current)
            if row is None:
                raise Lost(f"layer {current:x} is no longer in {self.root}")
            if current not in self._sound:
                self._check(row, path)
                self._sound.add(current)
            current = row.parent

    def _check(self, row: LayerRow, path: Path) -> None:
        now = seals.seal(path).digest
        if now == row.seal:
            return
        wrong = seals.damaged(
            path, lambda name: algebra.lookup(self.trees, row.tree, "/" + name, follow=False)
        )
        if wrong is not None:
            self.index.forget_layers([row.id])
            raise Lost(f"layer {row.id:x} is damaged ({wrong}); run again to make it anew")
        self.index.reseal(row.id, now)

    def _usable(self, number: int | None) -> LayerRow | None:
        if number is None:
            return None
        with contextlib.suppress(Lost):
            self.chain(number)
            return self.index.layer(number)
        return None

    def shown(self, tree: str) -> int | None:
        """A layer that shows exactly this tree, when there is one on disk."""
        row = self.index.layer_showing(tree)
        if row is None:
            return None
        if self._usable(row.id) is None:
            self.index.forget_layers([row.id])
            return None
        return row.id

    def show(self, snapshot: Snapshot) -> tuple[Path, ...]:
        """Directories to stack (top-most first) that show a snapshot; writes a layer when none does.

        Blocking: call it in a worker thread.

        Raises:
            Lost: some of its bytes are gone.
            OSError: the disk is full.
        """
        if snapshot.tree == EMPTY:
            return ()
        try:
            number = self._held(snapshot, lambda _, entry: self.locate(entry.digest), seal=True)
        except layers.ChangedUnderway as error:
            self._drop_content(error.digest)
            raise Lost(f"content sha256:{error.digest} is damaged; run again to make it anew") from error
        return self.chain(number)

    def _held(self, snapshot: Snapshot, source: Callable[[str, Entry], Path], *, seal: bool) -> int:
        """A layer that shows a snapshot, written from ``source`` when there is none, leased."""
        with self._writing, self._lease.sharing():
            number = self.shown(snapshot.tree)
            if number is not None and seal:
                try:
                    self._sealed(number)
                except Lost:
                    number = None
            if number is None:
                number = self._write_layer(snapshot, source)
            self._lease.layer(number)
        return number

    def adopt(self, snapshot: Snapshot, source: Callable[[str, Entry], Path]) -> Snapshot:
        """Make sure that every byte of a tree is on disk, reading what is missing from ``source``.

        ``source`` tells where the file at a path of the tree can be read (a host directory). Blocking.
        """
        if snapshot.tree == EMPTY:
            return snapshot
        return Snapshot(snapshot.tree, self._held(snapshot, source, seal=False))

    def _write_layer(self, snapshot: Snapshot, source: Callable[[str, Entry], Path]) -> int:
        below = self._usable(snapshot.near) or self._near(snapshot.tree)
        while below is not None and below.depth >= MAX_DEPTH and below.parent is not None:
            below = self._bottom(below)
        changes = algebra.difference(self.trees, below.tree if below else EMPTY, snapshot.tree)
        folder = self.scratch()
        try:
            located = list(layers.write(changes, folder, source, self.ownership))
        except BaseException:
            self.discard(folder)  # on a full disk, what is half done is in the way of everything else
            raise
        return self.install(folder, snapshot.tree, below, located)

    def _near(self, tree: str) -> LayerRow | None:
        """A layer close to a tree that came from elsewhere, together with the word on what it is close to."""
        for each in self.index.fact("near", tree) or ():
            found = self._usable(self.shown(each))
            if found is not None:
                return found
        return None

    @property
    def since(self) -> int:
        """When this session began (ns since the epoch): the files that it uses are touched after that."""
        return self._lease.since

    def _bottom(self, row: LayerRow) -> LayerRow | None:
        while row.parent is not None:
            parent = self.index.layer(row.parent)
            if parent is None:
                return None
            row = parent
        return row

    def install(
        self, folder: Path, tree: str, below: LayerRow | None, located: Iterable[tuple[str, str]]
    ) -> int:
        """Make a finished directory a layer: rename it in place, then record it with what it holds."""
        number = self.index.next_layer()
        os.rename(folder, self.layer_path(number))
        os.chmod(self.layer_path(number), 0o755)
        depth = below.depth + 1 if below else 1
        sealed = seals.seal(self.layer_path(number))
        parent = below.id if below else None
        self.index.add_layer(LayerRow(number, parent, tree, depth, sealed.digest, sealed.size), located)
        self._sound.add(number)
        return number

    def capture(self, upper: Path, before: Snapshot, actor: tuple[int, int]) -> Snapshot:
        """What a step made of ``before``; its writes are in ``upper``, which is taken over. Blocking."""

        def was(path: str) -> Entry | None:
            return algebra.lookup(self.trees, before.tree, path, follow=False)

        changes: list[Change] = list(layers.read(upper, was, self.ownership, actor))
        tree = algebra.apply(self.trees, before.tree, changes) if changes else before.tree
        if tree == before.tree:
            self.discard(upper)
            return before
        located = [
            (change.entry.digest, change.path)
            for change in changes
            if isinstance(change, Put) and change.entry.kind == REGULAR
        ]
        below = self._usable(self.shown(before.tree)) if before.tree != EMPTY else None
        return Snapshot(tree, self.install(upper, tree, below, located))

    def files(self, tree: str) -> Iterator[tuple[str, Entry]]:
        """Every regular file of a tree, with its path."""
        return ((path, entry) for path, entry in self.trees.walk(tree) if entry.kind == REGULAR)
