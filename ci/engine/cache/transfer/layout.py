"""An image in a folder, as OCI's image layout has it: only what is not there is written. Blocking.

Format: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ci.engine.cache.transfer.document import Unreadable
from ci.engine.images import Image
from ci.engine.images.errors import BrokenImage
from ci.engine.images.image import OCI_INDEX, write_json
from ci.engine.images.manifest import load, read_index, read_manifest, save
from ci.engine.store.blobs import BlobMismatch, Blobs

_VERSION = {"imageLayoutVersion": "1.0.0"}


def write(folder: Path, image: Image, blobs: Blobs) -> int:
    """Make an image the only one in a folder; returns how many bytes of blobs were written.

    A kill at any instant leaves the image that was there before, or this one.

    Raises:
        OSError: the disk is full, or the folder can't be written to.
        BlobNotFound: a layer of the image is not in ``blobs``.
    """
    top = save(image, blobs)
    manifest = read_manifest(blobs.read(top.digest), str(folder))
    wanted = [part.digest for part in (manifest.config, *manifest.layers)] + [top.digest]
    place = folder / "blobs" / "sha256"
    place.mkdir(parents=True, exist_ok=True)
    sent = sum(_put(place, digest, blobs) for digest in wanted)
    _replace(folder / "oci-layout", json.dumps(_VERSION).encode())
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [top.to_json()]}
    _replace(folder / "index.json", write_json(index))
    for file in place.iterdir():
        if f"sha256:{file.name}" not in wanted:
            file.unlink(missing_ok=True)
    return sent


def _put(place: Path, digest: str, blobs: Blobs) -> int:
    target = place / digest.removeprefix("sha256:")
    size = blobs.size(digest)
    if target.exists() and target.stat().st_size == size:
        return 0
    with blobs.open(digest) as source:
        handle, name = tempfile.mkstemp(dir=place, prefix=".new-")
        with _removed(name), open(handle, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
            sink.flush()
            os.fsync(sink.fileno())
            os.chmod(name, 0o644)
            os.rename(name, target)
    return size


def _replace(file: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")
    with _removed(name), open(handle, "wb") as sink:
        sink.write(data)
        sink.flush()
        os.fsync(sink.fileno())
        os.chmod(name, 0o644)
        os.rename(name, file)


@contextlib.contextmanager
def _removed(name: str) -> Iterator[None]:
    """Remove a temporary file that was not renamed."""
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def read(folder: Path, blobs: Blobs) -> Image | None:
    """The image in a folder, with all its blobs taken into ``blobs``; None when the folder holds nothing.

    Raises:
        Unreadable: it is no layout with one image, or a blob has other bytes than its name says.
    """
    try:
        data = (folder / "index.json").read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        (top,) = read_index(data, str(folder))
        manifest = read_manifest(_take(folder, top.digest, blobs), str(folder))
        for part in (manifest.config, *manifest.layers):
            if not blobs.has(part.digest):
                _take(folder, part.digest, blobs, small=False)
        return load(top.digest, blobs, str(folder))
    except (BrokenImage, BlobMismatch, ValueError, FileNotFoundError) as error:
        raise Unreadable(str(error)) from error


def _take(folder: Path, digest: str, blobs: Blobs, *, small: bool = True) -> bytes:
    path = folder / "blobs" / "sha256" / blobs.path(digest).name
    with path.open("rb") as stream:
        blobs.put(stream, digest)
    return blobs.read(digest) if small else b""
