"""Between an image and the documents that registries and archives keep: manifest, configuration, index.

Specification: https://github.com/opencontainers/image-spec (manifest.md, image-index.md, config.md) and
Docker's equivalents, which differ in media types only.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ci.engine.images.errors import BrokenImage, UnsupportedPlatform
from ci.engine.images.image import (
    DOCKER_CONFIG,
    DOCKER_INDEX,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Image,
    ImageConfig,
    Layer,
    platform_members,
    platform_of,
    read_json,
    same_platform,
    write_json,
)
from ci.engine.store.blobs import BlobNotFound, Blobs

MediaTypes = Literal["oci", "docker"]

MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_INDEX)

_TO_DOCKER = {
    OCI_LAYER: DOCKER_LAYER,
    f"{OCI_LAYER}+gzip": f"{DOCKER_LAYER}.gzip",
    f"{OCI_LAYER}+zstd": f"{DOCKER_LAYER}.zstd",
}
_TO_OCI = {docker: oci for oci, docker in _TO_DOCKER.items()}
#: What a layer's media type may be; older tools leave it out.
_LAYERS = frozenset({*_TO_DOCKER, *_TO_OCI, ""})
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: No configuration is longer than this many bytes; containerd draws the same line.
LARGEST_DOCUMENT = 8 << 20


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to a blob of `size` bytes, with platform and annotations where the pointer has them."""

    media_type: str
    digest: str
    size: int
    platform: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_json(cls, members: Mapping[str, Any], what: str) -> "Descriptor":
        """Read a descriptor of the document `what`. Raises BrokenImage."""
        try:
            platform = members.get("platform")
            found = cls(
                str(members.get("mediaType", "")),
                str(members["digest"]),
                int(members["size"]),
                platform_of(platform) if platform else None,
                _annotations(members),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BrokenImage(
                f"the {what} has a descriptor without digest or size: pull or write it again"
            ) from error
        # A digest names a file in the store: nothing but a digest may.
        if not _DIGEST.fullmatch(found.digest):
            raise BrokenImage(
                f"the {what} has the digest {found.digest[:80]!r}, which is not sha256: and 64 hex digits: "
                "push the image again with SHA-256 digests"
            )
        if found.size < 0:
            raise BrokenImage(f"the {what} has a part of {found.size} bytes: do not use this image")
        return found

    def to_json(self) -> dict[str, Any]:
        """The descriptor as a document has it."""
        members: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.platform:
            members["platform"] = platform_members(self.platform)
        if self.annotations:
            members["annotations"] = dict(self.annotations)
        return members


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image's parts."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: tuple[tuple[str, str], ...]


def read_manifest(data: bytes, what: str) -> Manifest:
    """Parse an image manifest. Raises BrokenImage, which names `what`."""
    document = read_json(data, f"manifest of {what}")
    if document.get("schemaVersion") == 1 or "config" not in document:
        raise BrokenImage(
            f"the manifest of {what} is not of schema version 2: push the image again with a newer tool"
        )
    layers = _descriptors(document, "layers", f"manifest of {what}")
    config = Descriptor.from_json(document["config"], f"manifest of {what}")
    for layer in layers:
        _check_layer(layer, what)
    if config.size > LARGEST_DOCUMENT:
        raise BrokenImage(
            f"the configuration of {what} is to be {config.size} bytes long: it may be no container image"
        )
    return Manifest(config, layers, _annotations(document))


def _descriptors(document: Mapping[str, Any], name: str, what: str) -> tuple[Descriptor, ...]:
    found = document.get(name) or ()
    if not isinstance(found, list | tuple):
        raise BrokenImage(f"the {what} has no list of {name}: pull or write it again")
    return tuple(Descriptor.from_json(each, what) for each in found)


def _annotations(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = document.get("annotations")
    pairs = found.items() if isinstance(found, Mapping) else ()
    return tuple(sorted((str(name), str(value)) for name, value in pairs))


def _check_layer(layer: Descriptor, what: str) -> None:
    if "foreign" in layer.media_type or "nondistributable" in layer.media_type:
        raise BrokenImage(
            f"{what} has a foreign layer ({layer.digest}), which no registry may keep, as Windows has: "
            "use an image whose layers are all in its registry"
        )
    if layer.media_type not in _LAYERS:
        raise BrokenImage(
            f"{what} has a layer of the type {layer.media_type[:120]!r}, which is no file system that can be "
            "read here: it may be encrypted, or no container image"
        )


def read_index(data: bytes, what: str) -> tuple[Descriptor, ...]:
    """The manifests that an index or manifest list names, attestations left out. Raises BrokenImage."""
    document = read_json(data, f"index of {what}")
    found = _descriptors(document, "manifests", f"index of {what}")
    return tuple(each for each in found if "vnd.docker.reference.type" not in dict(each.annotations))


def is_index(data: bytes, media_type: str = "") -> bool:
    """Whether a document is an index rather than a manifest; its own media type is optional in OCI's."""
    return media_type in INDEXES or (
        media_type not in MANIFESTS and "manifests" in read_json(data, "manifest")
    )


def pick(candidates: Sequence[Descriptor], platform: str, what: str) -> Descriptor:
    """The one for `platform`; one that names no platform will do. Raises UnsupportedPlatform."""
    exact = [each for each in candidates if each.platform == platform]
    close = [each for each in candidates if each.platform and same_platform(each.platform, platform)]
    silent = [each for each in candidates if each.platform is None]
    for each in (*exact, *close, *silent):
        return each
    there = ", ".join(sorted({each.platform for each in candidates if each.platform})) or "none"
    raise UnsupportedPlatform(
        f"{what} is not there for {platform} (it is for: {there}): ask for one of these"
    )


def matching(image: Image, platform: str, what: str) -> Image:
    """The image, if it is for `platform`. Raises UnsupportedPlatform."""
    if not same_platform(image.platform, platform):
        raise UnsupportedPlatform(f"{what} is for {image.platform}, not for {platform}: ask for that")
    return image


def load(digest: str, blobs: Blobs, what: str) -> Image:
    """The image whose manifest and configuration are in `blobs`. Raises BrokenImage, BlobNotFound."""
    manifest = read_manifest(blobs.read(digest), what)
    return replace(assemble(blobs.read(manifest.config.digest), manifest, what), digest=digest)


def assemble(config: bytes, manifest: Manifest, what: str) -> Image:
    """An image from its configuration and manifest. Raises BrokenImage."""
    document = read_json(config, f"configuration of {what}")
    try:
        diff_ids = list(document["rootfs"]["diff_ids"])
    except (KeyError, TypeError) as error:
        raise BrokenImage(
            f"the configuration of {what} names no layers: it may be no container image"
        ) from error
    if len(diff_ids) != len(manifest.layers):
        raise BrokenImage(
            f"{what} has {len(manifest.layers)} layers, its configuration has {len(diff_ids)}: pull it again"
        )
    layers = tuple(
        Layer(layer.digest, diff_id, layer.size, layer.media_type)
        for layer, diff_id in zip(manifest.layers, diff_ids, strict=True)
    )
    return Image(ImageConfig.from_json(document), layers, platform_of(document), manifest.annotations)


def save(image: Image, blobs: Blobs, media_types: MediaTypes = "oci") -> Descriptor:
    """Store the image's manifest and configuration; where to find the manifest.

    An image that is as it was pulled keeps the bytes, and so the digest, that it came with. Raises StoreFull.
    """
    if (kept := _as_it_came(image, blobs, media_types)) is not None:
        return kept
    docker = media_types == "docker"
    config = blobs.put_bytes(image.config.to_json(image.platform, [layer.diff_id for layer in image.layers]))
    names = _TO_DOCKER if docker else _TO_OCI
    layers = [
        Descriptor(names.get(each.media_type, each.media_type), each.digest, each.size)
        for each in image.layers
    ]
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
        "config": Descriptor(DOCKER_CONFIG if docker else OCI_CONFIG, config.digest, config.size).to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    if image.annotations and not docker:
        document["annotations"] = dict(image.annotations)
    manifest = blobs.put_bytes(write_json(document))
    annotations = () if docker else image.annotations
    return Descriptor(document["mediaType"], manifest.digest, manifest.size, image.platform, annotations)


def save_index(manifests: Iterable[Descriptor], blobs: Blobs, media_types: MediaTypes = "oci") -> Descriptor:
    """Store an index of these manifests. Raises StoreFull."""
    media_type = DOCKER_INDEX if media_types == "docker" else OCI_INDEX
    entries = [each.to_json() for each in manifests]
    index = blobs.put_bytes(write_json({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}))
    return Descriptor(media_type, index.digest, index.size)


def _as_it_came(image: Image, blobs: Blobs, media_types: MediaTypes) -> Descriptor | None:
    if image.digest is None:
        return None
    try:
        same = load(image.digest, blobs, image.digest) == image
    except (BlobNotFound, BrokenImage):
        return None
    data = blobs.read(image.digest)
    media_type = read_json(data, "manifest").get("mediaType", OCI_MANIFEST)
    if not same or (media_type == DOCKER_MANIFEST) != (media_types == "docker"):
        return None
    return Descriptor(media_type, image.digest, len(data), image.platform)
