"""A registry's manifests, tags and referrers.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

import anyio.to_thread

from ci.engine.store.blobs import Blobs
from infra.local.registry.document import LONGEST, OCI_INDEX, Document, read
from infra.local.registry.errors import RegistryError
from infra.local.registry.exchange import Request, Response
from infra.local.registry.names import ImageName, Place, check_digest, check_reference, is_digest
from infra.local.registry.records import Records, Stored
from infra.local.registry.repositories import Repository

_MANY = 10_000


class ManifestRoom:
    """Answers below /v2/NAME/ for manifests, tags and referrers."""

    def __init__(self, records: Records, blobs: Blobs) -> None:
        self._records = records
        self._blobs = blobs

    def find(self, place: Place, reference: str) -> Stored:
        """The manifest of a tag or digest. Raises RegistryError (MANIFEST_UNKNOWN)."""
        check_reference(reference)
        digest = reference
        if not is_digest(reference):
            tag = self._records.tagged(place, reference)
            digest = tag.digest if tag else ""
        found = self._records.manifest(place, digest)
        if found is None or not self._blobs.has(found.digest):
            raise RegistryError("MANIFEST_UNKNOWN", f'Failed to fetch "{reference}"')
        return found

    async def get(self, place: Place, reference: str) -> Response:
        """GET and HEAD."""
        found = self.find(place, reference)
        headers = {
            "content-type": found.media_type,
            "docker-content-digest": found.digest,
            "etag": f'"{found.digest}"',
        }
        return Response(200, headers, self._blobs.read(found.digest))

    async def put(
        self, request: Request, name: ImageName, repository: Repository, reference: str
    ) -> Response:
        """PUT: all that the manifest needs has to be here."""
        place = Place(repository.name, name.image)
        check_reference(reference)
        data = await request.read(LONGEST)
        document = read(data, request.headers.get("content-type", ""))
        tag = ""
        if is_digest(reference):
            if reference != document.digest:
                text = f"the manifest has the digest {document.digest}, the request says {reference}"
                raise RegistryError("DIGEST_INVALID", text)
        else:
            tag = reference
            self._check_tag(repository, place, tag, document.digest)
        self._check_parts(place, document)
        await anyio.to_thread.run_sync(self._blobs.put_bytes, data)
        # What was here before the wait for the disk may have gone.
        self._check_parts(place, document)
        self._records.put(place, document, tag)
        headers = {
            "location": f"/v2/{name}/manifests/{document.digest}",
            "docker-content-digest": document.digest,
        }
        if document.subject:
            headers["oci-subject"] = document.subject
        return Response(201, headers)

    def delete(self, repository: Repository, place: Place, reference: str) -> set[str]:
        """DELETE of a tag, or of a version that has none; the digests of what nothing uses any more."""
        found = self.find(place, reference)
        if not is_digest(reference):
            if repository.immutable_tags:
                raise RegistryError(
                    "MANIFEST_INVALID",
                    f"cannot delete tag {reference}. The repository has enabled tag immutability",
                )
            self._records.untag(place, reference)
            return set()
        tags = [tag.name for tag in self._records.tags(place) if tag.digest == found.digest]
        if tags:
            text = f"Manifest is still referenced by tag: {tags[0]}"
            raise RegistryError("GOOGLE_MANIFEST_DANGLING_TAG", text)
        if self._records.parents(place, found.digest):
            text = "Manifest is still referenced by one or more parent images"
            raise RegistryError("GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE", text)
        return self._records.remove(place, found.digest)

    async def tags(self, request: Request, name: ImageName, place: Place) -> Response:
        """A page of the tags."""
        if not self._records.manifests(place):
            raise RegistryError("NAME_UNKNOWN", f'Image "{name}" not found')
        names = [tag.name for tag in self._records.tags(place)]
        shown, more = page(request, names)
        return listing({"name": str(name), "tags": shown}, f"/v2/{name}/tags/list", request, shown, more=more)

    async def referrers(self, request: Request, place: Place, subject: str) -> Response:
        """What says something about an image, as an index; it may be about none that is here."""
        check_digest(subject)
        wanted = request.query.get("artifactType", "")
        found = [
            _descriptor(each, read(self._blobs.read(each.digest), each.media_type))
            for each in self._records.referrers(place, subject)
            if wanted in {"", each.artifact_type} and self._blobs.has(each.digest)
        ]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}
        headers = {"content-type": OCI_INDEX}
        if wanted:
            headers["oci-filters-applied"] = "artifactType"
        return Response(200, headers, json.dumps(index).encode())

    def _check_tag(self, repository: Repository, place: Place, tag: str, digest: str) -> None:
        now = self._records.tagged(place, tag)
        if repository.immutable_tags and now is not None and now.digest != digest:
            raise RegistryError(
                "MANIFEST_INVALID", f"cannot update tag {tag}. The repository has enabled tag immutability"
            )

    def _check_parts(self, place: Place, document: Document) -> None:
        for digest in document.blobs:
            if not self._records.linked(place, digest) or not self._blobs.has(digest):
                raise RegistryError(
                    "MANIFEST_BLOB_UNKNOWN", f"the manifest needs blob {digest}: push it first"
                )
        for digest in document.manifests:
            if self._records.manifest(place, digest) is None:
                text = f"the index needs manifest {digest}: push it first"
                raise RegistryError("MANIFEST_BLOB_UNKNOWN", text)


def page(request: Request, names: Sequence[str]) -> tuple[list[str], bool]:
    """Those that the parameters `n` and `last` ask for, and whether there are more. Raises RegistryError."""
    last = request.query.get("last", "")
    after = [name for name in names if name > last]
    number = request.number("n")
    shown = after[: _MANY if number is None else number]
    return shown, len(after) > len(shown) > 0


def listing(
    document: dict[str, Any], path: str, request: Request, shown: Iterable[str], *, more: bool
) -> Response:
    """A page with the address of the next one."""
    headers = {"content-type": "application/json"}
    if more:
        number = f"n={request.query['n']}&" if "n" in request.query else ""
        headers["link"] = f'<{path}?{number}last={quote(list(shown)[-1], safe="")}>; rel="next"'
    return Response(200, headers, json.dumps(document).encode())


def _descriptor(stored: Stored, document: Document) -> dict[str, Any]:
    members: dict[str, Any] = {
        "mediaType": stored.media_type,
        "digest": stored.digest,
        "size": stored.length,
    }
    if stored.artifact_type:
        members["artifactType"] = stored.artifact_type
    if document.annotations:
        members["annotations"] = dict(document.annotations)
    return members
