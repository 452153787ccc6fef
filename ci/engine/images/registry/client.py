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
from ci.engine.images.reference import DEFAULT_REGISTRY, Reference
from ci.engine.images.registry.credentials import Credentials
from ci.engine.images.registry.endpoints import endpoint, mirrors
from ci.engine.images.registry.session import Session
from ci.engine.images.together import together
from ci.engine.images.transport import ATTEMPTS, client, download, partial
from ci.engine.store.blobs import CHUNK, BlobMismatch, Blobs, room

_ACCEPT = ", ".join((*INDEXES, *MANIFESTS))
_TRANSFERS = 4


class Registry:
    """A client of any registry.

    `connect` (seconds) and `attempts` say how patient it is with one that does not answer.
    """

    def __init__(
        self,
        blobs: Blobs,
        *,
        credentials: Credentials | None = None,
        mirror_urls: Sequence[str] | None = None,
        connect: float = 10.0,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._blobs = blobs
        self._credentials = credentials or Credentials()
        self._mirrors = mirrors() if mirror_urls is None else tuple(mirror_urls)
        self._connect = connect
        self._attempts = attempts

    async def digest(self, reference: Reference) -> str:
        """The digest of what a name means now: of a manifest, or of an index for several platforms.

        Raises ImageNotFound, RegistryDenied, RegistryUnreachable.
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

            async def fetch(part: Descriptor) -> None:
                await self._fetch(session, part)

            await together(fetch, dict.fromkeys((manifest.config, *manifest.layers)), _TRANSFERS)
            return matching(load(digest, self._blobs, name), platform, name)

    async def push(
        self, images: Image | Sequence[Image], reference: Reference, media_types: MediaTypes = "oci"
    ) -> str:
        """Upload an image, or one image's variants for several platforms; the digest it has there.

        Raises RegistryDenied, RegistryUnreachable, BlobNotFound.
        """
        variants = [images] if isinstance(images, Image) else list(images)
        manifests = [save(image, self._blobs, media_types) for image in variants]
        top = manifests[0] if isinstance(images, Image) else save_index(manifests, self._blobs, media_types)
        async with client(connect=self._connect) as http:
            session = self._session(http, endpoint(reference.registry), reference, "pull,push")
            parts: dict[str, Descriptor] = {}
            for each in manifests:
                manifest = read_manifest(self._blobs.read(each.digest), each.digest)
                parts |= {part.digest: part for part in (manifest.config, *manifest.layers)}
            # The first one logs in for all.
            for part in list(parts.values())[:1]:
                await self._upload(session, part)
            await together(lambda part: self._upload(session, part), list(parts.values())[1:], _TRANSFERS)
            if top not in manifests:
                for each in manifests:
                    await self._publish(session, each, each.digest)
            await self._publish(session, top, reference.tag or top.digest)
        return top.digest

    @asynccontextmanager
    async def _somewhere(self, reference: Reference) -> AsyncIterator[tuple[Session, Descriptor]]:
        """The first of mirrors and registry that has the image; its manifest or index is stored then."""
        places = [endpoint(reference.registry)]
        if reference.registry == DEFAULT_REGISTRY:
            places = [*self._mirrors, *places]
        async with client(connect=self._connect) as http:
            failures = []
            for base in places:
                session = self._session(http, base, reference, "pull")
                try:
                    descriptor = await self._document(session, reference.selector)
                except (ImageNotFound, RegistryUnreachable, RegistryDenied) as error:
                    failures.append(error)
                    continue
                yield session, descriptor
                return
            # The registry itself comes last, and knows best.
            raise failures[-1]

    def _session(self, http: httpx.AsyncClient, base: str, reference: Reference, actions: str) -> Session:
        return Session(http, base, reference, self._credentials, actions, self._attempts)

    async def _document(self, session: Session, selector: str) -> Descriptor:
        """Fetch and store a manifest or index, by tag or digest."""
        data, headers = await session.read(session.url(f"manifests/{selector}"), _ACCEPT)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if selector.startswith("sha256:") and digest != selector:
            raise BrokenImage(
                f"{session.reference.familiar} came with the digest {digest}: a proxy may be in the way"
            )
        self._blobs.put_bytes(data)
        return Descriptor(headers.get("content-type", "").partition(";")[0], digest, len(data))

    async def _fetch(self, session: Session, part: Descriptor) -> None:
        if self._blobs.has(part.digest):
            return
        url, name = session.url(f"blobs/{part.digest}"), session.reference.familiar
        with (
            room(self._blobs.root),
            partial(self._blobs.root / "fetch", part.digest.removeprefix("sha256:")) as (path, file),
        ):
            try:
                await download(session.http, url, file, size=part.size, headers=session.headers)
                await anyio.to_thread.run_sync(self._blobs.adopt, path, part.digest)
            except httpx.HTTPStatusError as error:
                await session.check(error.response)
            except httpx.HTTPError as error:
                raise session.unreachable(error) from error
            except BlobMismatch as error:
                raise BrokenImage(f"a layer of {name} came damaged ({error}): pull it again") from error

    async def _upload(self, session: Session, part: Descriptor) -> None:
        async with session.call("HEAD", session.url(f"blobs/{part.digest}")) as response:
            if response.is_success:
                return
        async with session.call("POST", session.url("blobs/uploads/")) as response:
            place = response.url.join(response.headers["location"])
        headers = {
            "content-type": "application/octet-stream",
            "content-length": str(self._blobs.size(part.digest)),
        }
        target = str(place.copy_merge_params({"digest": part.digest}))
        async with session.call("PUT", target, headers=headers, content=_Content(self._blobs, part.digest)):
            pass

    async def _publish(self, session: Session, manifest: Descriptor, name: str) -> None:
        data = self._blobs.read(manifest.digest)
        headers = {"content-type": manifest.media_type}
        async with session.call("PUT", session.url(f"manifests/{name}"), headers=headers, content=data):
            pass


class _Content:
    """A blob as a request's body, from its start each time the request is sent."""

    def __init__(self, blobs: Blobs, digest: str) -> None:
        self._blobs = blobs
        self._digest = digest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._blobs.open(self._digest) as stream:
            while chunk := await anyio.to_thread.run_sync(stream.read, CHUNK):
                yield chunk
