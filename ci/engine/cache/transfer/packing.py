"""A session's part of the cache as an image, and such an image as a part of the cache. Blocking."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from ci.engine.cache.entries import NEAR
from ci.engine.cache.transfer.document import KINDS, LABEL, NAME, Document, Unreadable, trees
from ci.engine.images import Image, Layer, Member, names, pack, unpack
from ci.engine.images.errors import BrokenImage
from ci.engine.images.image import ImageConfig
from ci.engine.images.manifest import load, read_manifest
from ci.engine.store.blobs import BlobNotFound
from ci.engine.store.store import Store
from ci.engine.store.tree import DIRECTORY, EMPTY, REGULAR, Entry, Lost

_LOOSE = -1


def packed(store: Store, platform: str) -> Image:
    """What this session has used, as an image whose blobs are in the store."""
    store.index.flush()
    facts = [(kind, key, value) for kind in KINDS for key, value in store.index.seen(kind)]
    nodes, contents = _closure(store, facts)
    images = list(_images(store))
    within = _image_layers(store, facts) if images else frozenset()
    packs = sorted(_packs(store, contents, within), key=lambda layer: layer.diff_id)
    small = {name: store.blobs.read(name) for _, image in images for name in _documents(store, image)}
    near = [(NEAR, tree, below) for tree, below in _below(store, facts)]
    document = Document(
        tuple(facts + near),
        nodes,
        tuple(layer.diff_id for layer in packs),
        tuple((name, image.digest or "") for name, image in images),
        small,
    )
    first = _facts_layer(store, document.to_json())
    theirs = {layer.diff_id: layer for _, image in images for layer in image.layers}
    config = ImageConfig(labels=(LABEL,))
    return Image(config, (first, *packs, *theirs.values()), platform)


def _closure(store: Store, facts: Iterable[tuple[str, str, Any]]) -> tuple[dict[str, bytes], set[str]]:
    """The listings and texts that facts lead to, and the contents of the files in them."""
    nodes: dict[str, bytes] = {}
    contents: set[str] = set()
    pending = sorted(trees(facts))
    texts = set(pending)
    while pending:
        digest = pending.pop()
        if digest in nodes or digest == EMPTY:
            continue
        try:
            listing = store.trees.load(digest)
        except Lost:
            if digest in texts and not _text(store, digest, nodes):
                contents.add(digest)
            continue
        nodes[digest] = store.index.node(digest)
        pending += [entry.digest for entry in listing.values() if entry.kind == DIRECTORY]
        contents |= {entry.digest for entry in listing.values() if entry.kind == REGULAR}
    there = {digest for digest in contents if _located(store, digest)}
    return nodes, there


def _text(store: Store, digest: str, nodes: dict[str, bytes]) -> bool:
    try:
        nodes[f"text:{digest}"] = store.index.node(f"text:{digest}")
    except KeyError:
        return False
    return True


def _located(store: Store, digest: str) -> bool:
    try:
        store.locate(digest)
    except Lost:
        return False
    return True


def _images(store: Store) -> Iterator[tuple[str, Image]]:
    """The images that this session has used, by the names of their files."""
    for file in names.files(store.root):
        if file.stat().st_mtime_ns < store.since:
            continue
        with contextlib.suppress(BlobNotFound, BrokenImage, ValueError):
            image = load(file.read_text(encoding="ascii").strip(), store.blobs, file.name)
            if all(store.blobs.has(layer.digest) for layer in image.layers):
                yield str(file.relative_to(names.folder(store.root))), image


def _documents(store: Store, image: Image) -> list[str]:
    digest = image.digest or ""
    return [digest, read_manifest(store.blobs.read(digest), digest).config.digest]


def _image_layers(store: Store, facts: Iterable[tuple[str, str, Any]]) -> frozenset[int]:
    """The layers on disk that were unpacked from images' own."""
    rows = [store.index.layer_showing(value["tree"]) for kind, _, value in facts if kind == "chain"]
    return frozenset(row.id for row in rows if row is not None)


def _below(store: Store, facts: Iterable[tuple[str, str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """For each tree that a fact names, those of the layers below the one that shows it, the nearest first."""
    for tree in sorted(trees(facts)):
        row = store.index.layer_showing(tree)
        below: list[str] = []
        while row is not None and row.parent is not None:
            row = store.index.layer(row.parent)
            if row is not None:
                below.append(row.tree)
        if below:
            yield tree, below


def _packs(store: Store, contents: set[str], within: frozenset[int]) -> Iterator[Layer]:
    """Packs with all of ``contents`` but what is ``within`` images' layers; those there are come first."""
    by_layer: dict[int, list[str]] = defaultdict(list)
    for digest in contents:
        found = store.index.content(digest)
        number = found[0] if found is not None else _LOOSE
        if number not in within:
            by_layer[number].append(digest)
    missing = {digest for some in by_layer.values() for digest in some}
    for tree, layer in _made(store):
        listing = store.trees.load(tree)
        if missing & listing.keys():
            missing -= listing.keys()
            yield layer
    for number, some in sorted(by_layer.items()):
        if missing & set(some):
            # All of a layer, so that it is packed alike whatever part of it is used another time.
            whole = some if number == _LOOSE else store.index.contents_of(number)
            yield _pack(store, sorted(whole))


def _made(store: Store) -> Iterator[tuple[str, Layer]]:
    """The packs that are here, made by an earlier export or come with an import."""
    for tree, value in store.index.facts("pack"):
        layer = Layer(*value["layer"])
        if store.blobs.has(layer.digest):
            yield tree, layer


def _pack(store: Store, digests: Iterable[str]) -> Layer:
    listing = {
        digest: Entry(REGULAR, 0o644, 0, 0, digest, store.locate(digest).stat().st_size) for digest in digests
    }

    members = (
        Member(digest, mtime=entry.mtime, size=entry.size, open=partial(store.open, digest))
        for digest, entry in listing.items()
    )
    layer = pack(members, store.blobs)
    _record(store, store.trees.save(listing), layer)
    return layer


def _record(store: Store, tree: str, layer: Layer) -> None:
    value = {"tree": tree, "layer": [layer.digest, layer.diff_id, layer.size, layer.media_type]}
    store.index.record("pack", tree, value)


def _facts_layer(store: Store, data: bytes) -> Layer:
    blob = store.blobs.put_bytes(data)
    member = Member(NAME, size=len(data), open=lambda: store.blobs.open(blob.digest))
    return pack([member], store.blobs)


def unpacked(store: Store, image: Image) -> int:
    """Take over what an image of a cache holds; returns how many results.

    Raises:
        Unreadable: it holds no cache, or is damaged; nothing of it counts then.
        OSError, StoreError: the disk is full.
    """
    if LABEL not in image.config.labels or not image.layers:
        raise Unreadable("it is not a cache of this version of the engine")
    document = _document(store, image.layers[0])
    layers = {layer.diff_id: layer for layer in image.layers}
    for diff_id in document.packs:
        if diff_id not in layers:
            raise Unreadable(f"its layer {diff_id} is missing")
        _unpack(store, layers[diff_id])
    for name, data in document.blobs.items():
        if store.blobs.put_bytes(data).digest != name:
            raise Unreadable(f"its document {name} is damaged")
    for digest, data in document.nodes.items():
        store.index.add_node(digest, data)
    for name, digest in document.images:
        _name(store, name, digest)
    for kind, key, value in document.facts:
        if not store.index.has_fact(kind, key):
            store.index.record(kind, key, value, used=False)
    return sum(kind == "exec" for kind, _, _ in document.facts)


def _document(store: Store, layer: Layer) -> Document:
    folder = store.scratch()
    try:
        with store.blobs.open(layer.digest) as stream:
            members = list(unpack(stream, folder, own=False, diff_id=layer.diff_id))
        if [member.path for member in members] != [NAME]:
            raise Unreadable(f"its first layer has no {NAME}")
        return Document.from_json((folder / NAME).read_bytes())
    except BrokenImage as error:
        raise Unreadable(str(error)) from error
    finally:
        store.discard(folder)


def _unpack(store: Store, layer: Layer) -> None:
    """Make a layer on disk of a pack, unless it is here; every file is compared with its name."""
    known = store.index.fact("unpacked", layer.diff_id)
    if known is not None and store.shown(known["tree"]) is not None:
        return
    folder = store.scratch()
    listing: dict[str, Entry] = {}
    try:
        with store.blobs.open(layer.digest) as stream:
            for member in unpack(stream, folder, own=False, diff_id=layer.diff_id):
                if member.kind != "file" or member.digest != f"sha256:{member.path}":
                    raise Unreadable(f"its file {member.path} has other bytes than its name says")
                listing[member.path] = Entry(REGULAR, 0o644, 0, 0, member.path, member.size)
    except BrokenImage as error:
        raise Unreadable(str(error)) from error
    tree = store.trees.save(listing)
    store.install(folder, tree, None, [(digest, digest) for digest in listing])
    store.index.record("unpacked", layer.diff_id, {"tree": tree})
    _record(store, tree, layer)


def _name(store: Store, name: str, digest: str) -> None:
    """Remember an image's name, unless another image has it here."""
    folder = names.folder(store.root)
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()):
        raise Unreadable(f"its image {name!r} lies elsewhere")
    if not file.exists():
        names.keep(file, digest)
