"""``Container``: from images - pulled, or imported from an archive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from ci.engine.api.registry import Call, serves
from ci.engine.api.types import paths
from ci.engine.api.types.common import works
from ci.engine.errors import EngineError
from ci.engine.graph import imaging
from ci.engine.graph.container import Container
from ci.engine.graph.files import File
from ci.engine.graph.secret import Secret
from ci.engine.graph.serving.service import Service
from ci.engine.images import (
    BrokenImage,
    Image,
    ImageError,
    Images,
    Reference,
    parse_reference,
    read_archive,
)
from ci.engine.images.hoststore import HostStore, find
from ci.engine.images.registry.credentials import Credentials, Login
from ci.engine.store.blobs import Blobs, StoreError
from ci.engine.store.tree import Snapshot


@serves("Container")
async def from_(
    call: Call, parent: Container, *, address: str, registry_service: Service | None = None
) -> Container:
    """As an image has it."""
    parts = works(call)
    reference = parse(address)
    auth = await credentials(call, parent)

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

    service = None if registry_service is None else registry_service.digest
    image, snapshot = await parts.evaluator.once.get(("from", reference, parent.platform, service), pull)
    pinned = str(reference).partition("@")[0] + (f"@{image.digest}" if image.digest else "")
    return imaging.started(parent, image, snapshot, pinned)


async def _pulled(
    blobs: Blobs, reference: Reference, platform: str, auth: Credentials, address: str
) -> Image:
    """An image from a service; what a name means there is for this session alone."""
    from ci.engine.images.registry import Registry

    return await Registry(blobs, credentials=auth, at=address).pull(reference, platform)


@asynccontextmanager
async def registry_at(call: Call, service: Service | None) -> AsyncIterator[str | None]:
    """Where a registry that is a service is while the context lasts, None for one that is none."""
    if service is None:
        yield None
        return
    parts = works(call)
    bound = ((service.hostname, service),)
    async with parts.services.using(parts.evaluator, parts.surroundings, bound) as (running,):
        yield running.address


def parse(address: str) -> Reference:
    """An image's reference; EngineError when the text is none."""
    try:
        return parse_reference(address)
    except ImageError as error:
        raise EngineError(f"failed to parse image address {address}: {error}") from error


async def credentials(call: Call, parent: Container) -> Credentials:
    """The logins that a container was given, before those of the host."""
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


async def host_store(call: Call) -> HostStore:
    """The images of the host's container runtime.

    Raises:
        EngineError: there is no runtime, or none that answers.
    """
    found = await works(call).evaluator.once.get(("hoststore",), find)
    if found is None:
        raise EngineError(
            "client has no supported api for loading image: no docker, podman, finch or nerdctl answers on "
            "this host; use an image archive instead"
        )
    return found


async def from_host(call: Call, parent: Container, name: str) -> Container:
    """As an image of the host's container runtime has it.

    Raises:
        EngineError: there is no such image there, or no runtime.
    """
    parts, reference = works(call), parse(name)
    store = await host_store(call)

    async def work() -> tuple[Image, Snapshot]:
        archive = parts.store.scratch() / "image.tar"

        def read() -> tuple[Image, Snapshot]:
            image = read_archive(archive, parts.store.blobs, None, parent.platform)
            return image, imaging.show(parts.store, image)

        try:
            await store.save(reference, archive)
            return await parts.evaluator.in_thread(read)
        finally:
            parts.store.discard(archive.parent)

    try:
        # The name may mean another image by now.
        key = ("hostimage", await store.identity(reference), parent.platform)
        image, snapshot = await parts.evaluator.once.get(key, work)
    except (ImageError, StoreError, OSError) as error:
        raise EngineError(f"failed to load image from {store.runtime}: {error}") from error
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
