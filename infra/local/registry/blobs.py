"""A registry's blobs: pulled in ranges, pushed at once or in chunks, mounted from another repository.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
"""

import re
from collections.abc import AsyncIterator, Callable

import anyio.to_thread

from ci.engine.store.blobs import CHUNK, BlobNotFound, Blobs, StoreFull
from infra.local.registry.errors import RegistryError
from infra.local.registry.exchange import ClientGone, Request, Response
from infra.local.registry.names import ImageName, Place, check_digest, parse_name
from infra.local.registry.records import Records
from infra.local.registry.uploads import Upload, Uploads

_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?(\d{1,18})-(\d{1,18})(?:/.*)?")
Find = Callable[[ImageName], Place]


class BlobRoom:
    """Answers below /v2/NAME/blobs/; `find` gives the place of an image that a blob is mounted from."""

    def __init__(self, records: Records, blobs: Blobs, uploads: Uploads, find: Find) -> None:
        self._records = records
        self._blobs = blobs
        self._uploads = uploads
        self._find = find

    async def blob(self, request: Request, place: Place, digest: str) -> Response:
        """HEAD, GET and DELETE of a blob."""
        check_digest(digest)
        if not self._records.linked(place, digest) or not self._blobs.has(digest):
            raise RegistryError("BLOB_UNKNOWN", f"blob {digest} is not in {place.image!r}")
        if request.method == "DELETE":
            return self._delete(place, digest)
        size = self._blobs.size(digest)
        headers = {
            "accept-ranges": "bytes",
            "content-type": "application/octet-stream",
            "docker-content-digest": digest,
            "etag": f'"{digest}"',
        }
        within = request.range(size)
        if within is None:
            return Response(200, headers, self._read(digest, 0, size), size)
        start, end = within
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
        return Response(206, headers, self._read(digest, start, end), end - start)

    async def start(self, request: Request, name: ImageName, place: Place) -> Response:
        """POST: a new upload, or all of a blob, or one that another repository has."""
        if "mount" in request.query:
            digest = check_digest(request.query["mount"])
            if self._mountable(request.query.get("from", ""), digest):
                self._records.link(place, digest)
                return _created(name, digest)
        upload = self._uploads.start(place)
        if "digest" in request.query:
            return await self._finish(request, name, place, upload)
        return _under_way(202, name, upload)

    async def upload(self, request: Request, name: ImageName, place: Place, upload_id: str) -> Response:
        """GET, PATCH, PUT and DELETE of an upload."""
        upload = await self._uploads.find(place, upload_id)
        async with upload.lock:
            match request.method:
                case "PATCH":
                    _check_order(request, upload)
                    await self._append(request, upload)
                    return _under_way(202, name, upload)
                case "PUT":
                    _check_order(request, upload)
                    return await self._finish(request, name, place, upload)
                case "DELETE":
                    self._uploads.forget(upload)
                    return Response(204)
                case _:
                    return _under_way(204, name, upload)

    async def _finish(self, request: Request, name: ImageName, place: Place, upload: Upload) -> Response:
        digest = check_digest(request.query.get("digest", ""))
        await self._append(request, upload)
        try:
            await upload.finish(digest, self._blobs)
        finally:
            self._uploads.forget(upload)
        if not self._blobs.has(digest):
            raise RegistryError("BLOB_UPLOAD_UNKNOWN", f"blob {digest} was deleted meanwhile: push it again")
        self._records.link(place, digest)
        return _created(name, digest)

    async def _append(self, request: Request, upload: Upload) -> None:
        try:
            await upload.append(request.chunks())
        except StoreFull:
            # How much of the last chunk is on disk is not known, so there is no going on.
            self._uploads.forget(upload)
            raise

    def _mountable(self, source: str, digest: str) -> bool:
        try:
            place = self._find(parse_name(source))
        except RegistryError:
            # A client that may not mount is told to push instead.
            return False
        return self._records.linked(place, digest) and self._blobs.has(digest)

    def _delete(self, place: Place, digest: str) -> Response:
        if parents := self._records.parents(place, digest):
            raise RegistryError("DENIED", f"blob {digest} is still needed by {parents[0]}: delete that first")
        self._records.unlink(place, digest)
        self.free(self._records.unused([digest]))
        return Response(202)

    def free(self, digests: set[str]) -> None:
        """Remove the bytes of what no image has any more."""
        for digest in digests:
            self._blobs.path(digest).unlink(missing_ok=True)

    async def _read(self, digest: str, start: int, end: int) -> AsyncIterator[bytes]:
        try:
            stream = self._blobs.open(digest)
        except BlobNotFound as error:
            raise ClientGone from error
        with stream:
            stream.seek(start)
            while start < end:
                chunk = await anyio.to_thread.run_sync(stream.read, min(CHUNK, end - start))
                if not chunk:
                    return
                start += len(chunk)
                yield chunk


def _check_order(request: Request, upload: Upload) -> None:
    """Raise RegistryError, 416, when a chunk does not begin where the upload ends."""
    text = request.headers.get("content-range")
    if text is None:
        return
    found = _CONTENT_RANGE.fullmatch(text)
    length = request.headers.get("content-length", "")
    if found is None or int(found[2]) < int(found[1]) - 1:
        raise RegistryError("BLOB_UPLOAD_INVALID", f"the range {text[:80]!r} is none", status=416)
    first, last = int(found[1]), int(found[2])
    if first != upload.size:
        text = f"the upload has {upload.size} bytes, the chunk begins at {first}"
        raise RegistryError("BLOB_UPLOAD_INVALID", text, status=416)
    if length.isdigit() and int(length) not in {0, last + 1 - first}:
        raise RegistryError("SIZE_INVALID", f"the range {text[:80]!r} is not {length} bytes long", status=400)


def _created(name: ImageName, digest: str) -> Response:
    headers = {"location": f"/v2/{name}/blobs/{digest}", "docker-content-digest": digest}
    return Response(201, headers)


def _under_way(status: int, name: ImageName, upload: Upload) -> Response:
    # For no bytes at all there is no range; registries say this, and clients know it.
    headers = {
        "docker-upload-uuid": upload.id,
        "location": f"/v2/{name}/blobs/uploads/{upload.id}",
        "range": f"0-{max(0, upload.size - 1)}",
    }
    return Response(status, headers)
