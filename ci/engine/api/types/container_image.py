"""``Container``: from and to images - pulled, imported, exported, published."""

from __future__ import annotations

from dataclasses import replace

from ci.engine.api.registry import Call, refuse, serves
from ci.engine.api.types import paths
from ci.engine.api.types.common import expanded, works
from ci.engine.errors import EngineError
from ci.engine.graph import hostexport, imaging
from ci.engine.graph.container import Container
from ci.engine.graph.files import SCRATCH, File, Fixed
from ci.engine.graph.recompress import Compression, recompressed
from ci.engine.graph.secret import Secret
from ci.engine.graph.service import Service
from ci.engine.images import (
    BrokenImage,
    Image,
    ImageError,
    Images,
    MediaTypes,
    Reference,
    parse_reference,
    read_archive,
)
from ci.engine.images.registry.credentials import Credentials, Login
from ci.engine.store.blobs import StoreError
from ci.engine.store.store import Snapshot

refuse(
    "Container",
    "export_image",
    because="client has no supported api for loading image, there is no Docker on the host; use export",
)

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


@serves("Container")
async def from_(
    call: Call, parent: Container, *, address: str, registry_service: Service | None = None
) -> Container:
    """As an image has it."""
    if registry_service is not None:
        raise EngineError("from with a registryService is not served by the embedded engine")
    parts = works(call)
    reference = parse(address)
    auth = await _credentials(call, parent)

    async def pull() -> tuple[Image, Snapshot]:
        with parts.evaluator.events.step(f"from {address}") as shown:

            def say(line: str) -> None:
                shown.write("stderr", f"{line}\n".encode())

            images = Images(parts.store.root, parts.store.blobs, progress=say, credentials=auth)
            shown.cached = images.known(reference, parent.platform) is not None
            try:
                image = await images.resolve(reference, parent.platform)
                snapshot = await parts.evaluator.in_thread(imaging.show, parts.store, image)
            except (ImageError, StoreError, OSError) as failure:
                raise EngineError(
                    f'failed to resolve image "{reference}" (platform: "{parent.platform}"): {failure}'
                ) from failure
        return image, snapshot

    image, snapshot = await parts.evaluator.once.get(("from", reference, parent.platform), pull)
    pinned = str(reference).partition("@")[0] + (f"@{image.digest}" if image.digest else "")
    return imaging.started(parent, image, snapshot, pinned)


def parse(address: str) -> Reference:
    """An image's reference; EngineError when the text is none."""
    try:
        return parse_reference(address)
    except ImageError as error:
        raise EngineError(f"failed to parse image address {address}: {error}") from error


async def _credentials(call: Call, parent: Container) -> Credentials:
    secrets = call.session.secrets
    logins = {}
    for address, username, secret in parent.registry_auth:
        registry = parse(address).registry if "/" in address else address
        logins[registry] = Login(username, (await secrets.plaintext(secret)).decode())
    return Credentials(logins)


@serves("Container")
def image_ref(_call: Call, parent: Container) -> str:
    """The pinned reference of the image it was just taken from."""
    if parent.image_ref is None:
        raise EngineError(
            "Image reference can only be retrieved immediately after the 'Container.From' call. "
            "Error in fetching imageRef as the container image is changed"
        )
    return parent.image_ref


@serves("Container")
async def import_(call: Call, parent: Container, *, source: File, tag: str = "") -> Container:
    """As an image archive (OCI or Docker) has it."""
    parts = works(call)
    entry = await paths.require(call, source.files, source.path, None, shown=source.path)

    def load() -> tuple[Image, Snapshot]:
        archive = parts.store.locate(entry.digest)
        image = read_archive(archive, parts.store.blobs, tag or None, parent.platform)
        return image, imaging.show(parts.store, image)

    async def work() -> tuple[Image, Snapshot]:
        try:
            return await parts.evaluator.in_thread(load)
        except BrokenImage as error:
            said = str(error).replace(str(parts.store.locate(entry.digest)), source.path.lstrip("/"))
            raise EngineError(f"image archive import: unrecognized image format: {said}") from error
        except (ImageError, StoreError, OSError) as error:
            raise EngineError(f"image archive import: {error}") from error

    image, snapshot = await parts.evaluator.once.get(("import", entry.digest, tag, parent.platform), work)
    return imaging.started(parent, image, snapshot, None)


@serves("Container")
def with_registry_auth(
    _call: Call, parent: Container, *, address: str, username: str, secret: Secret
) -> Container:
    """With credentials for a registry."""
    others = tuple(row for row in parent.registry_auth if row[0] != address)
    return replace(parent, registry_auth=(*others, (address, username, secret)))


@serves("Container")
def without_registry_auth(_call: Call, parent: Container, *, address: str) -> Container:
    """Without credentials for a registry."""
    return replace(parent, registry_auth=tuple(row for row in parent.registry_auth if row[0] != address))


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
    if registry_service is not None:
        raise EngineError("publish with a registryService is not served by the embedded engine")
    from ci.engine.images.registry import Registry

    parts = works(call)
    try:
        reference = parse_reference(address)
    except ImageError as error:
        raise EngineError(str(error)) from error
    images = await _images(call, parent, platform_variants, forced_compression)
    registry = Registry(parts.store.blobs, credentials=await _credentials(call, parent))
    pushed = images[0] if len(images) == 1 else images
    try:
        digest = await registry.push(pushed, reference, _MEDIA_TYPES[media_types])
    except (ImageError, StoreError, OSError) as error:
        raise EngineError(f"failed to publish to {address}: {error}") from error
    return f"{reference}@{digest}"
