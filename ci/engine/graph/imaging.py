"""Between images and containers: layers become file systems, what was added becomes a layer."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO, cast

from ci.engine.graph.container import Container, Port
from ci.engine.graph.files import Derived, Files
from ci.engine.graph.fingerprint import fingerprint
from ci.engine.graph.steps.execution import Output
from ci.engine.images import Image, Layer, MediaTypes, Member, pack, unpack, write_archive
from ci.engine.images.layers.member import Kind
from ci.engine.store import algebra
from ci.engine.store.index import LayerRow
from ci.engine.store.store import Store
from ci.engine.store.tree import (
    BLOCK,
    CHARACTER,
    DIRECTORY,
    EMPTY,
    FIFO,
    REGULAR,
    SYMLINK,
    Change,
    Clear,
    Entry,
    Put,
    Remove,
    Snapshot,
)

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator

#: As many layers as an image may have on top of its base; Docker stops at 127 in all.
MAX_LAYERS = 60
_EDITS = frozenset(
    {
        "copy_directory",
        "copy_file",
        "make_directory",
        "make_symlink",
        "new_file",
        "patched",
        "timestamped",
        "with_changes",
        "without",
    }
)
_KINDS: dict[Kind, str] = {
    "file": REGULAR,
    "dir": DIRECTORY,
    "symlink": SYMLINK,
    "char": CHARACTER,
    "block": BLOCK,
    "fifo": FIFO,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True)
class FromImage:
    """The file system that an image's layers show: what is done to it is exported on top of them."""

    snapshot: Snapshot
    layers: tuple[Layer, ...]

    @property
    def digest(self) -> str:
        """The tree's own digest: which layers show it does not matter to steps."""
        return self.snapshot.tree

    async def evaluate(self, evaluator: Evaluator) -> Snapshot:
        """The snapshot itself; unpacked again where something of the cache was damaged."""
        if not evaluator.wary:
            return self.snapshot
        return await evaluator.in_thread(unpacked, evaluator.store, self.layers)


def started(parent: Container, image: Image, snapshot: Snapshot, reference: str | None) -> Container:
    """A container with an image's file system; the image's configuration goes before what was set already."""
    before = Container(parent.platform, config=parent.config)
    for item in image.config.env:
        name, _, value = item.partition("=")
        before = before.with_env(name, value)
    config = replace(
        image.config,
        env=before.config.env,
        labels=tuple(sorted({**dict(parent.config.labels), **dict(image.config.labels)}.items())),
        healthcheck=image.config.healthcheck or parent.config.healthcheck,
        onbuild=(*parent.config.onbuild, *image.config.onbuild),
    )
    container = replace(
        parent,
        rootfs=FromImage(snapshot, image.layers),
        config=config,
        last=None,
    )
    for text in image.config.exposed_ports:
        port = _port(text)
        if (port.port, port.protocol) not in {(each.port, each.protocol) for each in parent.ports}:
            container = container.with_port(port)
    return replace(container, image_ref=reference)


def _port(text: str) -> Port:
    number, _, protocol = text.partition("/")
    return Port(int(number), (protocol or "tcp").upper())


def show(store: Store, image: Image) -> Snapshot:
    """The file system of an image; see ``unpacked``."""
    return unpacked(store, image.layers)


def unpacked(store: Store, layers: Sequence[Layer]) -> Snapshot:
    """The file system that layers make, unpacked where they were not yet. Blocking.

    Raises:
        ImageError: a layer is damaged or hostile.
        StoreError, OSError: the disk is full.
    """
    below = Snapshot(EMPTY)
    chain = ""
    for layer in layers:
        chain = f"{chain}+{layer.diff_id}"
        below = _layer(store, layer, below, chain)
    return below


def _layer(store: Store, layer: Layer, below: Snapshot, chain: str) -> Snapshot:
    known = store.index.fact("chain", chain)
    if known is not None:
        shown = store.shown(known["tree"])
        if shown is not None or known["tree"] == EMPTY:
            return Snapshot(known["tree"], shown)
    folder = store.scratch()
    with store.blobs.open(layer.digest) as stream:
        members = unpack(stream, folder, own=store.ownership.on_disk, diff_id=layer.diff_id)
        # A layer may have a million entries: what is made of one is kept, the entry itself is not.
        located: list[tuple[str, str]] = []
        tree = algebra.apply(store.trees, below.tree, _changes(store, below, members, located))
    row: LayerRow | None = store.index.layer(below.near) if below.near is not None else None
    number = store.install(folder, tree, row, located)
    store.index.record("chain", chain, {"tree": tree})
    return Snapshot(tree, number)


def _changes(
    store: Store, below: Snapshot, members: Iterable[Member], located: list[tuple[str, str]]
) -> Iterator[Change]:
    """What a layer does to the tree below it; where its files' contents are is added to ``located``."""
    for member in members:
        if member.whiteout:
            yield Remove(member.path)
            continue
        if member.path != "." and not (member.implied and _has_directory(store, below, member.path)):
            entry = _entry(member)
            if entry.kind == REGULAR:
                located.append((entry.digest, member.path))
            yield Put(member.path, entry)
        if member.opaque:
            yield Clear(member.path)


def _has_directory(store: Store, below: Snapshot, path: str) -> bool:
    found = algebra.lookup(store.trees, below.tree, path, follow=False)
    return found is not None and found.kind == DIRECTORY


def _entry(member: Member) -> Entry:
    # A hard link is another name of the same file: on disk they share one, in the tree each has its own.
    kind = REGULAR if member.kind == "hardlink" else _KINDS[member.kind]
    digest = ""
    if kind == REGULAR:
        digest = sys.intern((member.digest or "").removeprefix("sha256:"))
    elif kind == SYMLINK:
        digest = member.link
    elif kind in (CHARACTER, BLOCK):
        digest = f"{member.device[0]}:{member.device[1]}"
    return Entry(kind, member.mode, member.uid, member.gid, digest, member.size, member.mtime)


async def assembled(evaluator: Evaluator, container: Container) -> Image:
    """A container as an image: its base's own layers, then one for each thing that was added.

    Raises:
        EngineError: a step that it needs failed.
    """
    history = _history(container.rootfs)
    snapshots = await evaluator.evaluate_all(history)
    base = history[0].layers if isinstance(history[0], FromImage) else ()
    trees = [snapshot.tree for snapshot in snapshots] if base else [EMPTY, *(each.tree for each in snapshots)]
    added = await evaluator.in_thread(_added, evaluator.store, _spread(trees))
    ports = tuple(sorted(f"{p.port}/{p.protocol.lower()}" for p in container.ports))
    config = replace(container.config, exposed_ports=ports)
    return Image(config, (*base, *added), container.platform, container.annotations)


def _history(files: Files) -> list[Files]:
    """The states that a file system went through, oldest first; a part of another one is a beginning."""
    states = [files]
    while True:
        match states[-1]:
            case Derived(operation=operation, inputs=(before, *_)) if operation in _EDITS:
                states.append(before)
            case Output(step=step, index=-1):
                states.append(step.rootfs)
            case _:
                return states[::-1]


def _spread(trees: list[str]) -> list[str]:
    """The states to make layers between: the last ones each by itself, the first ones as one."""
    return trees if len(trees) <= MAX_LAYERS else [trees[0], *trees[-MAX_LAYERS:]]


def _added(store: Store, trees: list[str]) -> list[Layer]:
    return [_packed(store, lower, upper) for lower, upper in pairwise(trees) if lower != upper]


def _packed(store: Store, lower: str, upper: str) -> Layer:
    key = f"{lower}:{upper}"
    known = store.index.fact("packed", key)
    if known is not None and store.blobs.has(known[0]):
        return Layer(*known)
    members = (_member(store, change) for change in algebra.difference(store.trees, lower, upper))
    layer = pack(members, store.blobs)
    store.index.record("packed", key, [layer.digest, layer.diff_id, layer.size, layer.media_type])
    return layer


def _member(store: Store, change: Change) -> Member:
    if not isinstance(change, Put):
        return Member(change.path, whiteout=True)
    entry = change.entry
    member = Member(change.path, _NAMES[entry.kind], entry.mode, entry.uid, entry.gid, mtime=entry.mtime)
    if entry.kind == REGULAR:
        return replace(member, size=entry.size, open=lambda: store.open(entry.digest))
    if entry.kind == SYMLINK:
        return replace(member, link=entry.digest)
    if entry.kind in {CHARACTER, BLOCK}:
        major, minor = entry.digest.split(":")
        return replace(member, device=(int(major), int(minor)))
    return member


async def archived(evaluator: Evaluator, images: Sequence[Image], media_types: MediaTypes) -> Entry:
    """Images as one archive (OCI and Docker at once), written once: the entry of the file."""
    parts = [(i.platform, i.annotations, i.config.to_json(i.platform, ()), i.layers) for i in images]
    key = fingerprint("archive", media_types, parts)
    return await evaluator.in_thread(_archive, evaluator.store, images, media_types, key)


def _archive(store: Store, images: Sequence[Image], media_types: MediaTypes, key: str) -> Entry:
    known = store.index.fact("archive", key)
    if known is not None and store.blobs.has(known[0]):
        digest, size = known
    else:
        with store.blobs.writer() as writer:
            write_archive(images, store.blobs, cast(BinaryIO, writer), media_types)
        digest, size = writer.digest, writer.size
        store.index.record("archive", key, [digest, size])
    return Entry(REGULAR, 0o600, 0, 0, digest.removeprefix("sha256:"), size)
