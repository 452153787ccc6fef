"""Images in files: OCI layouts (a folder, or a tar of one) and what `docker save` writes."""

import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ci.engine.images.errors import BrokenImage, ImageNotFound
from ci.engine.images.image import DOCKER_LAYER, Image, read_json, write_json
from ci.engine.images.layers.bounds import TarReader
from ci.engine.images.layers.member import Member
from ci.engine.images.layers.pack import write_tar
from ci.engine.images.layers.unpack import split
from ci.engine.images.manifest import (
    INDEXES,
    Descriptor,
    Manifest,
    MediaTypes,
    assemble,
    load,
    matching,
    pick,
    read_index,
    read_manifest,
    save,
    save_index,
)
from ci.engine.images.reference import Reference
from ci.engine.store.blobs import CHUNK, BlobMismatch, BlobNotFound, Blobs

_REF_NAME = "org.opencontainers.image.ref.name"
_CONTAINERD_NAME = "io.containerd.image.name"
_BLOBS = ("blobs", "sha256")
#: Anything but a layer is smaller than this many bytes; it is kept in memory until it is known to be needed.
_SMALL = 4 << 20
_MOST_SMALL = 64 << 20


@dataclass(slots=True)
class _Files:
    """An archive's files by path: bytes of the small ones, digests of the large ones, targets of links."""

    small: dict[str, bytes] = field(default_factory=dict)
    large: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def follow(self, path: str) -> str:
        """Where a path leads, links followed; it may lead nowhere."""
        for _ in range(40):
            if path not in self.links:
                break
            path = self.links[path]
        return path


def read_archive(path: Path, blobs: Blobs, tag: str | None = None, platform: str = "linux/amd64") -> Image:
    """Read the image called `tag` (the only one, or the first for `platform`) and store its blobs.

    `path` is an OCI layout, folder or tar, or a `docker save` tar; a tar may be compressed as a whole.
    Raises ImageNotFound, UnsupportedPlatform, BrokenImage, StoreFull, OSError.
    """
    if not path.exists():
        raise ImageNotFound(f"there is no image archive {path}: check the path")
    files = _folder(path, blobs) if path.is_dir() else _tar(path, blobs)
    try:
        if "index.json" in files.small:
            image = _from_layout(files, blobs, tag, platform, path)
        elif "manifest.json" in files.small:
            image = _from_docker(files, blobs, tag, platform, path)
        else:
            raise BrokenImage(f"{path} has neither index.json nor manifest.json: it is no image archive")
        for layer in image.layers:
            blobs.size(layer.digest)
    except BlobNotFound as error:
        raise BrokenImage(f"{path} is incomplete ({error}): write the archive again") from error
    return image


def write_archive(
    images: Sequence[Image],
    blobs: Blobs,
    dest: BinaryIO,
    media_types: MediaTypes = "oci",
    reference: Reference | None = None,
) -> None:
    """Write a tar that is an OCI layout and, of one image, a `docker save` archive as well.

    The same images give the same bytes. Several images are one's variants for several platforms.
    `reference` is the name that loading gives it. Raises BlobNotFound, StoreFull, OSError.
    """
    manifests = [save(image, blobs, media_types) for image in images]
    top = manifests[0] if len(manifests) == 1 else save_index(manifests, blobs, media_types)
    names: dict[str, str] = {}
    if reference is not None:
        names = {_CONTAINERD_NAME: str(reference), _REF_NAME: reference.tag or "latest"}
    entry = {**replace(top, annotations=()).to_json(), **({"annotations": names} if names else {})}
    documents: dict[str, object] = {
        "oci-layout": {"imageLayoutVersion": "1.0.0"},
        "index.json": {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": [entry]},
    }
    if len(manifests) == 1:  # docker load knows nothing of platforms
        documents["manifest.json"] = [_docker_entry(manifests[0], blobs, reference)]
    wanted = {top.digest, *(each.digest for each in manifests)}
    for each in manifests:
        manifest = read_manifest(blobs.read(each.digest), each.digest)
        wanted |= {manifest.config.digest, *(layer.digest for layer in manifest.layers)}
    write_tar(_members(documents, wanted, blobs), dest)


def _members(documents: Mapping[str, object], digests: set[str], blobs: Blobs) -> Iterator[Member]:
    yield Member(_BLOBS[0], "dir", 0o755)
    yield Member("/".join(_BLOBS), "dir", 0o755)
    for name, document in documents.items():
        content = blobs.put_bytes(write_json(document))
        yield Member(name, size=content.size, open=partial(blobs.open, content.digest))
    for digest in digests:
        yield Member(_place(digest), size=blobs.size(digest), open=partial(blobs.open, digest))


def _place(digest: str) -> str:
    return "/".join((*_BLOBS, digest.removeprefix("sha256:")))


def _docker_entry(descriptor: Descriptor, blobs: Blobs, reference: Reference | None) -> dict[str, object]:
    manifest = read_manifest(blobs.read(descriptor.digest), descriptor.digest)
    return {
        "Config": _place(manifest.config.digest),
        "RepoTags": [f"{reference.familiar.partition('@')[0]}"] if reference and reference.tag else None,
        "Layers": [_place(layer.digest) for layer in manifest.layers],
    }


def _folder(path: Path, blobs: Blobs) -> _Files:
    files = _Files()
    for name in ("index.json", "manifest.json"):
        if (path / name).is_file():
            files.small[name] = (path / name).read_bytes()
    for file in sorted(path.joinpath(*_BLOBS).glob("*")):
        with file.open("rb") as stream:
            _put_named(blobs, iter(partial(stream.read, CHUNK), b""), f"sha256:{file.name}", file)
    return files


def _tar(path: Path, blobs: Blobs) -> _Files:
    files = _Files()
    with path.open("rb") as raw:
        # One pass, as the outer tar may be compressed and the list of contents may come last.
        tar = TarReader(raw)
        try:
            for info in tar:
                _take(tar, info, files, blobs, path)
        except BrokenImage as error:
            raise BrokenImage(
                f"{path} is no image archive, or is damaged ({error}): write it again"
            ) from error
    return files


def _take(tar: TarReader, info: tarfile.TarInfo, files: _Files, blobs: Blobs, archive: Path) -> None:
    parts = split(info.name)
    name = "/".join(parts)
    if info.issym() or info.islnk():
        files.links[name] = _target(parts, info)
    elif not info.isfile():
        return
    elif parts[:2] == _BLOBS and len(parts) == 3:
        files.large[name] = f"sha256:{parts[2]}"
        _put_named(blobs, tar.content(info), files.large[name], archive)
    elif info.size <= _SMALL:
        files.small[name] = b"".join(tar.content(info))
        if sum(len(each) for each in files.small.values()) > _MOST_SMALL:
            raise BrokenImage("it has small files without end")
    else:
        with blobs.writer() as writer:
            for chunk in tar.content(info):
                writer.write(chunk)
        files.large[name] = writer.digest


def _target(parts: tuple[str, ...], info: tarfile.TarInfo) -> str:
    """Where a link of an older `docker save` leads: one layer that several images have is there once."""
    place = list(parts[:-1]) if info.issym() else []
    for part in info.linkname.split("/"):
        if part == "..":
            place = place[:-1]
        elif part not in ("", "."):
            place.append(part)
    return "/".join(place)


def _put_named(blobs: Blobs, content: Iterable[bytes], digest: str, where: Path) -> None:
    try:
        if blobs.has(digest):
            return
        with blobs.writer(digest) as writer:
            for chunk in content:
                writer.write(chunk)
    except (BlobMismatch, ValueError) as error:
        raise BrokenImage(f"{where} has a damaged blob ({error}): write the archive again") from error


def _from_layout(files: _Files, blobs: Blobs, tag: str | None, platform: str, path: Path) -> Image:
    candidates = read_index(files.small["index.json"], str(path))
    if tag is not None:
        named = tuple(each for each in candidates if _called(each, tag))
        if not named:
            there = ", ".join(sorted({name for each in candidates for name in _names(each)})) or "none"
            raise ImageNotFound(
                f"{path} has no image with the tag {tag!r} (it has: {there}): ask for one of these"
            )
        candidates = named
    # Each level of indexes picks again; what an attacker nests deeper than this is no image.
    for _ in range(4):
        chosen = pick(candidates, platform, str(path))
        if chosen.media_type not in INDEXES:
            return matching(load(chosen.digest, blobs, str(path)), platform, str(path))
        candidates = read_index(blobs.read(chosen.digest), str(path))
    raise BrokenImage(f"{path} has indexes in indexes without end: write the archive again")


def _names(descriptor: Descriptor) -> list[str]:
    annotations = dict(descriptor.annotations)
    return [annotations[name] for name in (_REF_NAME, _CONTAINERD_NAME) if name in annotations]


def _called(descriptor: Descriptor, tag: str) -> bool:
    return any(name == tag or name.endswith((f":{tag}", f"/{tag}")) for name in _names(descriptor))


def _entry(entries: Sequence[Mapping[str, Any]], tag: str | None, path: Path) -> Mapping[str, Any]:
    if tag is None:
        return entries[0]
    tags: dict[str, Mapping[str, Any]] = {}
    for entry in reversed(entries):
        tags |= dict.fromkeys(entry.get("RepoTags") or (), entry)
    for name, entry in tags.items():
        if name == tag or name.endswith((f":{tag}", f"/{tag}")):
            return entry
    raise ImageNotFound(f"{path} has no image {tag!r} (it has: {', '.join(sorted(tags)) or 'none'})")


def _from_docker(files: _Files, blobs: Blobs, tag: str | None, platform: str, path: Path) -> Image:
    # The document is a list; an object around it makes it one that read_json takes.
    wrapped = b'{"images":' + files.small["manifest.json"] + b"}"
    entries = read_json(wrapped, f"manifest.json of {path}")["images"]
    try:
        entry = _entry(entries, tag, path)
        config = _content(files, blobs, entry["Config"])
        layers = tuple(_layer(files, blobs, each) for each in entry["Layers"])
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise BrokenImage(
            f"the manifest.json of {path} is not what `docker save` writes ({error})"
        ) from error
    stored = blobs.put_bytes(config)
    manifest = Manifest(Descriptor("", stored.digest, stored.size), layers, ())
    image = assemble(config, manifest, str(path))
    for layer in image.layers:
        if layer.media_type == DOCKER_LAYER and layer.digest != layer.diff_id:
            raise BrokenImage(
                f"{path} has a layer {layer.digest} that should be {layer.diff_id}: save the image again"
            )
    return matching(image, platform, str(path))


def _content(files: _Files, blobs: Blobs, name: str) -> bytes:
    path = files.follow("/".join(split(name)))
    return files.small[path] if path in files.small else blobs.read(files.large[path])


def _layer(files: _Files, blobs: Blobs, name: str) -> Descriptor:
    path = files.follow("/".join(split(name)))
    digest = files.large[path] if path in files.large else blobs.put_bytes(files.small[path]).digest
    with blobs.open(digest) as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return Descriptor(f"{DOCKER_LAYER}.gzip" if compressed else DOCKER_LAYER, digest, blobs.size(digest))
