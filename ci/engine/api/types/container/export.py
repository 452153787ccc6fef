"""``Container``: to images - archives, registries and the host's own store."""

from __future__ import annotations

from ci.engine.api.registry import Call, serves
from ci.engine.api.types import paths
from ci.engine.api.types.common import expanded, works
from ci.engine.api.types.container.image import credentials, host_store, parse, registry_at
from ci.engine.errors import EngineError
from ci.engine.graph import imaging
from ci.engine.graph.container import Container
from ci.engine.graph.files import SCRATCH, File, Fixed
from ci.engine.graph.host import hostexport
from ci.engine.graph.recompress import Compression, recompressed
from ci.engine.graph.serving.service import Service
from ci.engine.images import Image, ImageError, MediaTypes, parse_reference
from ci.engine.store.blobs import StoreError
from ci.engine.store.tree import Snapshot

_MEDIA_TYPES: dict[str | None, MediaTypes] = {
    None: "oci",
    "OCIMediaTypes": "oci",
    "OCI": "oci",
    "DockerMediaTypes": "docker",
    "DOCKER": "docker",
}
_COMPRESSIONS: dict[str | None, Compression | None] = {
    None: None,
    "Gzip": "gzip",
    "GZIP": "gzip",
    "Zstd": "zstd",
    "ZSTD": "zstd",
    "Uncompressed": "",
    "UNCOMPRESSED": "",
}


async def _images(
    call: Call, parent: Container, variants: list[Container] | None, forced: str | None
) -> list[Image]:
    """The images that are written or pushed, their layers compressed as ``forced`` says."""
    if forced not in _COMPRESSIONS:
        raise EngineError(
            f"layer compression {forced} is not served by the embedded engine: use Gzip or Zstd"
        )
    compression = _COMPRESSIONS[forced]
    evaluator = works(call).evaluator
    containers = list(variants or ())
    if not containers or parent.rootfs != SCRATCH:
        containers.insert(0, parent)
    if all(each.rootfs == SCRATCH for each in containers):
        raise EngineError("no containers to export")
    images = [await imaging.assembled(evaluator, each) for each in containers]
    if compression is None:
        return images
    return [await evaluator.in_thread(recompressed, evaluator.store, each, compression) for each in images]


@serves("Container")
async def as_tarball(
    call: Call,
    parent: Container,
    *,
    platform_variants: list[Container] | None = None,
    forced_compression: str | None = None,
    media_types: str | None = None,
) -> File:
    """As an image archive."""
    parts = works(call)
    images = await _images(call, parent, platform_variants, forced_compression)
    entry = await imaging.archived(parts.evaluator, images, _MEDIA_TYPES[media_types])
    tree = parts.store.trees.save({"container.tar": entry})
    return File(Fixed(Snapshot(tree)), "/container.tar")


@serves("Container")
async def export(
    call: Call,
    parent: Container,
    *,
    path: str,
    platform_variants: list[Container] | None = None,
    forced_compression: str | None = None,
    media_types: str | None = None,
    expand: bool = False,
) -> str:
    """Write it to the host as an image archive; returns where."""
    parts = works(call)
    target = paths.on_host(call, expanded(parent, path) if expand else path)
    images = await _images(call, parent, platform_variants, forced_compression)
    entry = await imaging.archived(parts.evaluator, images, _MEDIA_TYPES[media_types])
    await parts.evaluator.in_thread(hostexport.export_file, parts.store, entry, target)
    return str(target)


@serves("Container")
async def export_image(
    call: Call,
    parent: Container,
    *,
    name: str,
    platform_variants: list[Container] | None = None,
    forced_compression: str | None = None,
    media_types: str | None = None,
) -> None:
    """Put it among the images of the host's container runtime."""
    parts, reference = works(call), parse(name)
    store = await host_store(call)
    images = await _images(call, parent, platform_variants, forced_compression)
    entry = await imaging.archived(parts.evaluator, images, _MEDIA_TYPES[media_types])
    try:
        with parts.store.open(entry.digest) as archive:
            await store.load(archive, reference)
    except (ImageError, StoreError, OSError) as error:
        raise EngineError(str(error)) from error


@serves("Container")
async def publish(
    call: Call,
    parent: Container,
    *,
    address: str,
    platform_variants: list[Container] | None = None,
    forced_compression: str | None = None,
    media_types: str | None = None,
    registry_service: Service | None = None,
) -> str:
    """Push it to a registry; returns the reference by digest."""
    from ci.engine.images.registry import Registry

    parts = works(call)
    try:
        reference = parse_reference(address)
    except ImageError as error:
        raise EngineError(str(error)) from error
    images = await _images(call, parent, platform_variants, forced_compression)
    auth = await credentials(call, parent)
    pushed = images[0] if len(images) == 1 else images
    try:
        async with registry_at(call, registry_service) as place:
            registry = Registry(parts.store.blobs, credentials=auth, at=place)
            digest = await registry.push(pushed, reference, _MEDIA_TYPES[media_types])
    except (ImageError, StoreError, OSError) as error:
        raise EngineError(f"failed to publish to {address}: {error}") from error
    return f"{reference}@{digest}"
