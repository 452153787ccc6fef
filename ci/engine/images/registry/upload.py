"""Sending blobs and manifests: only what the registry lacks, and the rest of what broke off.

Protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from collections.abc import AsyncIterator

import anyio
import httpx

from ci.engine.images.errors import ImageNotFound, RegistryDenied, RegistryUnreachable
from ci.engine.images.manifest import Descriptor
from ci.engine.images.registry.origins import origins, remember
from ci.engine.images.registry.session import Session
from ci.engine.images.transport import backoff
from ci.engine.store.blobs import CHUNK, Blobs


async def push_blob(session: Session, blobs: Blobs, part: Descriptor) -> None:
    """Have the registry have a blob: it may be there, be had from another repository, or be sent.

    Raises RegistryDenied, RegistryUnreachable, BlobNotFound.
    """
    async with session.call("HEAD", session.url(f"blobs/{part.digest}")) as response:
        there = response.is_success
    if not there:
        place = await _begin(session, blobs, part)
        if place is not None:
            await _send(session, blobs, part, place)
    if blobs.has(part.digest):
        remember(blobs, part.digest, session.place)


async def push_manifest(session: Session, blobs: Blobs, manifest: Descriptor, name: str) -> None:
    """Send a manifest or index, to be called `name` (a tag or its digest).

    Raises RegistryDenied, RegistryUnreachable, BlobNotFound.
    """
    data = blobs.read(manifest.digest)
    headers = {"content-type": manifest.media_type}
    async with session.call("PUT", session.url(f"manifests/{name}"), headers=headers, content=data):
        pass


async def _begin(session: Session, blobs: Blobs, part: Descriptor) -> str | None:
    """Where to send a blob; None when the registry took it from another of its repositories."""
    ours = session.place.repository
    for repository in origins(blobs, part.digest, session.place.registry):
        if repository == ours:
            continue
        query = str(httpx.QueryParams({"mount": part.digest, "from": repository}))
        try:
            async with session.call("POST", session.url(f"blobs/uploads/?{query}")) as response:
                return None if response.status_code == httpx.codes.CREATED else _location(session, response)
        except (RegistryDenied, ImageNotFound):
            # Who may push here need not be one who may pull there.
            break
    async with session.call("POST", session.url("blobs/uploads/")) as response:
        return _location(session, response)


async def _send(session: Session, blobs: Blobs, part: Descriptor, place: str) -> None:
    """Send a blob to an upload that has begun, going on where it broke off."""
    size, failed = blobs.size(part.digest), 0
    sent = 0
    while True:
        target = str(httpx.URL(place).copy_merge_params({"digest": part.digest}))
        try:
            if sent:
                place = await _append(session, blobs, part, place, sent)
                target, sent = str(httpx.URL(place).copy_merge_params({"digest": part.digest})), size
            headers = {"content-type": "application/octet-stream", "content-length": str(size - sent)}
            content = _Content(blobs, part.digest, sent)
            async with session.call("PUT", target, reconnect=False, headers=headers, content=content):
                return
        except RegistryUnreachable as error:
            failed += 1
            # What was answered will be answered again; what broke off goes on.
            if not isinstance(error.__cause__, httpx.TransportError) or failed >= session.manner.attempts:
                raise
        await anyio.sleep(backoff(failed))
        place, sent = await _status(session, place, size)


async def _append(session: Session, blobs: Blobs, part: Descriptor, place: str, sent: int) -> str:
    """Send what the registry lacks of a blob; where to end the upload."""
    size = blobs.size(part.digest)
    if sent == size:
        return place
    headers = {
        "content-type": "application/octet-stream",
        "content-length": str(size - sent),
        "content-range": f"{sent}-{size - 1}",
    }
    content = _Content(blobs, part.digest, sent)
    async with session.call("PATCH", place, reconnect=False, headers=headers, content=content) as response:
        return _location(session, response)


async def _status(session: Session, place: str, size: int) -> tuple[str, int]:
    """Where an upload goes on and how many bytes it has; a new one when the registry forgot it."""
    try:
        async with session.call("GET", place) as response:
            last = response.headers.get("range", "").removeprefix("bytes=").rpartition("-")[2]
            # "0-0" is what some say of none and of one byte alike; either way, none is safe.
            have = int(last) + 1 if last.isdigit() and last != "0" else 0
            if 0 < have <= size:
                return _location(session, response), have
    except (ImageNotFound, RegistryUnreachable):
        pass
    async with session.call("POST", session.url("blobs/uploads/")) as response:
        return _location(session, response), 0


def _location(session: Session, response: httpx.Response) -> str:
    """Where an upload goes on. Raises RegistryUnreachable when the registry does not say."""
    found = response.headers.get("location")
    if not found:
        raise RegistryUnreachable(
            f"{session.reference.familiar}: {session.host} began an upload without saying where: "
            "it may be no registry"
        )
    return str(response.url.join(found))


class _Content:
    """A blob from `start` as a request's body, from there each time the request is sent."""

    def __init__(self, blobs: Blobs, digest: str, start: int = 0) -> None:
        self._blobs = blobs
        self._digest = digest
        self._start = start

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._blobs.open(self._digest) as stream:
            stream.seek(self._start)
            while chunk := await anyio.to_thread.run_sync(stream.read, CHUNK):
                yield chunk
