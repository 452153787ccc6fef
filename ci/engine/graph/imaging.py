"""Between images and containers: layers become file systems, what was added becomes a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from ci.engine.graph.container import Base, Container, Port
from ci.engine.graph.files import Fixed
from ci.engine.images import Image, Layer, Member, pack, unpack
from ci.engine.store import algebra
from ci.engine.store.index import LayerRow
from ci.engine.store.store import Snapshot, Store
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
)

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator

_KINDS = {
    "file": REGULAR,
    "dir": DIRECTORY,
    "symlink": SYMLINK,
    "char": CHARACTER,
    "block": BLOCK,
    "fifo": FIFO,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def started(platform: str, image: Image, snapshot: Snapshot, reference: str | None) -> Container:
    """The container that an image is the beginning of."""
    ports = tuple(_port(text) for text in image.config.exposed_ports)
    return Container(
        platform=platform,
        rootfs=Fixed(snapshot),
        config=image.config,
        ports=ports,
        annotations=(),
        base=Base(image.layers, snapshot.tree),
        image_ref=reference,
    )


def _port(text: str) -> Port:
    number, _, protocol = text.partition("/")
    return Port(int(number), (protocol or "tcp").upper())


def show(store: Store, image: Image) -> Snapshot:
    """The file system of an image, its layers unpacked where they were not yet. Blocking.

    Raises:
        ImageError: a layer is damaged or hostile.
        StoreError, OSError: the disk is full.
    """
    below = Snapshot(EMPTY)
    chain = ""
    for layer in image.layers:
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
        members = list(unpack(stream, folder, own=store.ownership.on_disk, diff_id=layer.diff_id))
    there = {member.path: member for member in members}

    def below_has(path: str) -> bool:
        found = algebra.lookup(store.trees, below.tree, path, follow=False)
        return found is not None and found.kind == DIRECTORY

    changes = [change for member in members for change in _changes(member, there, below_has)]
    tree = algebra.apply(store.trees, below.tree, changes)
    located = [
        (change.entry.digest, change.path)
        for change in changes
        if isinstance(change, Put) and change.entry.kind == REGULAR
    ]
    row: LayerRow | None = store.index.layer(below.near) if below.near is not None else None
    number = store.install(folder, tree, row, located)
    store.index.record("chain", chain, {"tree": tree})
    return Snapshot(tree, number)


def _changes(
    member: Member, there: Mapping[str, Member], below_has: Callable[[str], bool]
) -> Iterator[Change]:
    if member.whiteout:
        yield Remove(member.path)
        return
    if member.path != "." and not (member.implied and below_has(member.path)):
        # A hard link is another name of the same file: on disk they share one, in the tree each has its own.
        source = member
        while source.kind == "hardlink":
            source = there[source.link]
        yield Put(member.path, _entry(source))
    if member.opaque:
        yield Clear(member.path)


def _entry(member: Member) -> Entry:
    kind = _KINDS[member.kind]
    digest = ""
    if kind == REGULAR:
        assert member.digest is not None
        digest = member.digest.removeprefix("sha256:")
    elif kind == SYMLINK:
        digest = member.link
    elif kind in (CHARACTER, BLOCK):
        digest = f"{member.device[0]}:{member.device[1]}"
    return Entry(kind, member.mode, member.uid, member.gid, digest, member.size, member.mtime)


async def assembled(evaluator: Evaluator, container: Container) -> Image:
    """A container as an image: its base's own layers, then one with all that was added.

    Raises:
        EngineError: a step that it needs failed.
    """
    snapshot = await evaluator.evaluate(container.rootfs)
    return await evaluator.in_thread(_assemble, evaluator.store, container, snapshot)


def _assemble(store: Store, container: Container, snapshot: Snapshot) -> Image:
    base = container.base or Base((), EMPTY)
    added: tuple[Layer, ...] = ()
    if snapshot.tree != base.tree or not base.layers:
        added = (_packed(store, base.tree, snapshot.tree),)
    config = replace(
        container.config,
        exposed_ports=tuple(sorted(f"{p.port}/{p.protocol.lower()}" for p in container.ports)),
    )
    return Image(config, (*base.layers, *added), container.platform, container.annotations)


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
    if isinstance(change, Remove):
        return Member(change.path, whiteout=True)
    assert isinstance(change, Put)
    entry = change.entry
    name = _NAMES[entry.kind]
    device = (0, 0)
    if entry.kind in (CHARACTER, BLOCK):
        major, minor = entry.digest.split(":")
        device = (int(major), int(minor))

    def open_() -> BinaryIO:
        return store.open(entry.digest)

    return Member(
        change.path,
        name,  # type: ignore[arg-type]
        entry.mode,
        entry.uid,
        entry.gid,
        entry.size if entry.kind == REGULAR else 0,
        entry.mtime,
        link=entry.digest if entry.kind == SYMLINK else "",
        open=open_ if entry.kind == REGULAR else None,
        device=device,
    )
