"""An image's layers, all compressed in the way that was asked for."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from backports import zstd

from ci.engine.images import Image, Layer
from ci.engine.images.image import DOCKER_LAYER, OCI_LAYER
from ci.engine.images.layers.compress import GzipWriter
from ci.engine.images.layers.streams import decompress

if TYPE_CHECKING:
    from ci.engine.store.store import Store

Compression = Literal["gzip", "zstd", ""]

_SUFFIXES: dict[Compression, str] = {"gzip": "+gzip", "zstd": "+zstd", "": ""}


def recompressed(store: Store, image: Image, compression: Compression) -> Image:
    """The image with every layer's tar compressed by ``compression`` ("" leaves it plain). Blocking.

    Raises:
        StoreError: a layer's blob is gone, or the disk is full.
    """
    return replace(image, layers=tuple(_layer(store, layer, compression) for layer in image.layers))


def _layer(store: Store, layer: Layer, compression: Compression) -> Layer:
    media_type = OCI_LAYER + _SUFFIXES[compression]
    if layer.media_type in {media_type, DOCKER_LAYER + _SUFFIXES[compression].replace("+", ".")}:
        return layer
    key = f"{layer.digest}:{compression}"
    known = store.index.fact("recompressed", key)
    if known is not None and store.blobs.has(known[0]):
        return Layer(*known)
    with store.blobs.open(layer.digest) as stream, store.blobs.writer() as blob, ExitStack() as stack:
        target = cast(BinaryIO, blob)
        if compression == "gzip":
            target = cast(BinaryIO, stack.enter_context(GzipWriter(blob)))
        elif compression == "zstd":
            target = cast(BinaryIO, stack.enter_context(zstd.ZstdFile(target, "w")))
        shutil.copyfileobj(decompress(stream), target, 1 << 20)
    made = Layer(blob.digest, layer.diff_id, blob.size, media_type)
    store.index.record("recompressed", key, [made.digest, made.diff_id, made.size, made.media_type])
    return made
