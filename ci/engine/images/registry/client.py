"""Pulling images from registries and pushing them.

Protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio.to_thread
import httpx

from ci.engine.images.errors import BrokenImage, ImageNotFound, RegistryDenied, RegistryUnreachable
from ci.engine.images.image import Image
from ci.engine.images.manifest import (
    INDEXES,
    MANIFESTS,
    Descriptor,
    MediaTypes,
    is_index,
    load,
    matching,
    pick,
    read_index,
    read_manifest,
    save,
    save_index,
)
from ci.engine.images.reference import Reference
from ci.engine.images.registry.credentials import Credentials
from ci.engine.images.registry.endpoints import Place, places, served_at
from ci.engine.images.registry.origins import remember
from ci.engine.images.registry.session import Manner, Session, conversation
from ci.engine.images.registry.settings import Settings
from ci.engine.images.registry.upload import push_blob, push_manifest
from ci.engine.images.together import together
from ci.engine.images.transport import ATTEMPTS, IDLE, TooLong, partial
from ci.engine.store.blobs import BlobMismatch, Blobs, room

ACCEPT = ", ".join((*INDEXES, *MANIFESTS))
_TRANSFERS = 4


class Registry:
    """A client of any registry.

    `connect` and `idle` (seconds) and `attempts` say how patient it is with one that does not answer;
    `at` is the address where every registry is to be found, whatever its name leads to;
    `settings` are this host's, and `mirror_urls` take the place of the mirrors of Docker Hub that they name.
    """

    def __init__(
        self,
        blobs: Blobs,
        *,
        credentials: Credentials | None = None,
        settings: Settings | None = None,
        mirror_urls: Sequence[str] | None = None,
        at: str | None = None,
        connect: float = 10.0,
        idle: float = IDLE,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._blobs = blobs
        self._mirrors = mirror_urls
        self._at = at
        self._manner = Manner(
            settings or Settings(), credentials or Credentials(), connect, idle, max(attempts, 1)
        )

    async def digest(self, reference: Reference) -> str:
        """The digest of what a name means now: of a manifest, or of an index for several platforms.

        Raises ImageNotFound, RegistryDenied, RegistryUnreachable, BrokenImage.
        """
        async with self._somewhere(reference) as (session, descriptor):
            del session
            return descriptor.digest

    async def pull(self, reference: Reference, platform: str = "linux/amd64") -> Image:
        """Fetch an image with all its blobs; what is here already is not fetched again.

        Raises ImageNotFound, UnsupportedPlatform, RegistryDenied, RegistryUnreachable, BrokenImage,
        StoreFull.
        """
        name = reference.familiar
        async with self._somewhere(reference) as (session, top):
            digest = top.digest
            data = self._blobs.read(digest)
            if is_index(data, top.media_type):
                digest = pick(read_index(data, name), platform, name).digest
                data = self._blobs.read((await self._document(session, digest)).digest)
            manifest = read_manifest(data, name)
            # Whether the image will do shows in its configuration, which is small.
            await self._fetch(session, manifest.config)
            image = matching(load(digest, self._blobs, name), platform, name)

            async def fetch(part: Descriptor) -> None:
                await self._fetch(session, part)
                remember(self._blobs, part.digest, session.place)

            await together(fetch, dict.fromkeys(manifest.layers), _TRANSFERS)
            return image

    async def push(
        self, images: Image | Sequence[Image], reference: Reference, media_types: MediaTypes = "oci"
    ) -> str:
        """Upload an image, or one image's variants for several platforms; the digest it has there.

        What the registry has is not sent again: of an image that it has under this name, nothing is.
        Raises RegistryDenied, RegistryUnreachable, BrokenImage, BlobNotFound.
        """
        variants = [images] if isinstance(images, Image) else list(images)
        manifests = [save(image, self._blobs, media_types) for image in variants]
        top = manifests[0] if isinstance(images, Image) else save_index(manifests, self._blobs, media_types)
        selector = reference.tag or top.digest
        place = self._places(reference)[-1]
        async with conversation(place, reference, "pull,push", self._manner) as session:
            # This first request logs in for all that follow.
            if await _there(session, selector) == top.digest:
                return top.digest
            parts: dict[str, Descriptor] = {}
            for each in manifests:
                manifest = read_manifest(self._blobs.read(each.digest), reference.familiar)
                parts |= {part.digest: part for part in (manifest.config, *manifest.layers)}
            await together(lambda part: push_blob(session, self._blobs, part), parts.values(), _TRANSFERS)
            if top not in manifests:
                for each in manifests:
                    await push_manifest(session, self._blobs, each, each.digest)
            await push_manifest(session, self._blobs, top, selector)
        return top.digest

    @asynccontextmanager
    async def _somewhere(self, reference: Reference) -> AsyncIterator[tuple[Session, Descriptor]]:
        """The first of mirrors and registry that has the image; its manifest or index is stored then."""
        failures: list[Exception] = []
        for place in self._places(reference):
            async with conversation(place, reference, "pull", self._manner) as session:
                try:
                    descriptor = await self._document(session, reference.selector)
                except (ImageNotFound, RegistryUnreachable, RegistryDenied) as error:
                    failures.append(error)
                    continue
                yield session, descriptor
                return
        # The registry itself comes last, and knows best.
        raise failures[-1]

    def _places(self, reference: Reference) -> list[Place]:
        if self._at is not None:
            return [served_at(self._at, reference)]
        return places(reference, self._manner.settings, self._mirrors)

    async def _document(self, session: Session, selector: str) -> Descriptor:
        """Fetch and store a manifest or index, by tag or digest."""
        data, headers = await session.read(session.url(f"manifests/{selector}"), ACCEPT)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        wanted = selector if selector.startswith("sha256:") else headers.get("docker-content-digest", digest)
        if wanted != digest:
            raise BrokenImage(
                f"the manifest of {session.reference.familiar} from {session.host} should be {wanted}, "
                f"but came with the digest {digest}: a proxy may be in the way; pull it again"
            )
        self._blobs.put_bytes(data)
        return Descriptor(headers.get("content-type", "").partition(";")[0], digest, len(data))

    async def _fetch(self, session: Session, part: Descriptor) -> None:
        if self._blobs.has(part.digest):
            return
        with (
            room(self._blobs.root),
            partial(self._blobs.root / "fetch", part.digest.removeprefix("sha256:")) as (path, file),
        ):
            try:
                await session.download(f"blobs/{part.digest}", file, part.size)
                await anyio.to_thread.run_sync(self._blobs.adopt, path, part.digest)
            except (BlobMismatch, TooLong) as error:
                path.unlink(missing_ok=True)
                raise BrokenImage(
                    f"a layer of {session.reference.familiar} came damaged from {session.host} ({error}): "
                    "pull it again"
                ) from error


async def _there(session: Session, selector: str) -> str | None:
    """The digest of the manifest that the registry has under this name, if it says."""
    async with session.call(
        "HEAD", session.url(f"manifests/{selector}"), headers={"accept": ACCEPT}
    ) as response:
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        return str(response.headers.get("docker-content-digest", "")) or None
