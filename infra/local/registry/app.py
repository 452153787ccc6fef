"""The registry as an ASGI application: which room answers which path.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints
"""

import logging
import re
from pathlib import Path

from ci.engine.store.blobs import Blobs, StoreFull
from infra.local.api.server import Receive, Scope, Send
from infra.local.registry.blobs import BlobRoom
from infra.local.registry.errors import RegistryError
from infra.local.registry.exchange import ClientGone, Request, Response, respond
from infra.local.registry.manifests import ManifestRoom, listing, page
from infra.local.registry.names import ImageName, Place, location_of, parse_name
from infra.local.registry.records import Records
from infra.local.registry.repositories import Repositories, Repository
from infra.local.registry.uploads import Uploads

_LOG = logging.getLogger(__name__)
_JSON = {"content-type": "application/json"}
_PATH = re.compile(
    r"/v2/(?P<name>.+?)/(?:"
    r"blobs/uploads/(?P<upload>[^/]*)|blobs/(?P<blob>[^/]+)|manifests/(?P<manifest>[^/]+)|"
    r"(?P<tags>tags/list)|referrers/(?P<subject>[^/]+))"
)
_METHODS = {
    "blob": {"GET", "HEAD", "DELETE"},
    "manifest": {"GET", "HEAD", "PUT", "DELETE"},
    "tags": {"GET", "HEAD"},
    "subject": {"GET", "HEAD"},
}


class Registry:
    """Serves the images of `repositories`; what it knows is in `folder`, their bytes are in `blobs`.

    The blobs are the registry's to remove when no image has them any more. Raises sqlite3.DatabaseError when
    the folder holds the state of another version.
    """

    def __init__(self, folder: Path, blobs: Blobs, repositories: Repositories) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.records = Records(folder / "registry.db")
        self.blobs = blobs
        self.repositories = repositories
        # Beside the blobs, so that a finished one needs only another name.
        uploads = Uploads(blobs.root / "uploads")
        uploads.expire()
        self._blobs = BlobRoom(self.records, blobs, uploads, self._place)
        self._manifests = ManifestRoom(self.records, blobs)

    def close(self) -> None:
        """Let go of the files."""
        self.records.close()

    def remove_version(self, place: Place, digest: str) -> None:
        """Forget a version of an image with its tags, and free what nothing uses any more."""
        self._blobs.free(self.records.remove(place, digest))

    def remove_repository(self, repository: str) -> None:
        """Forget all images of a repository, which is gone."""
        self._blobs.free(self.records.remove_all(repository))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except RegistryError as error:
            response = Response(error.status, _JSON, error.body())
        except ClientGone:
            return
        except StoreFull as error:
            refused = RegistryError("DENIED", str(error), status=507)
            response = Response(refused.status, _JSON, refused.body())
        except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # a client gets an answer
            _LOG.exception("%s %s", request.method, request.path)
            response = Response(500, _JSON, RegistryError("UNKNOWN", "internal error").body())
        await respond(send, response, head=request.method == "HEAD")

    async def _answer(self, request: Request) -> Response:
        found = _PATH.fullmatch(request.path)
        if found is None:
            return self._top(request)
        name = parse_name(found["name"])
        if found["upload"] is not None:
            return await self._upload(request, name, found["upload"])
        return await self._image(request, name, found)

    async def _image(self, request: Request, name: ImageName, found: re.Match[str]) -> Response:
        kind = str(found.lastgroup)
        if request.method not in _METHODS[kind]:
            raise RegistryError("UNSUPPORTED", f"{request.method} is not for {request.path[:200]!r}")
        if kind == "manifest" and request.method == "PUT":
            repository = self._writable(request, name)
            return await self._manifests.put(request, name, repository, found["manifest"])
        repository = self._repository(name, _location(request))
        place = Place(repository.name, name.image)
        match kind, request.method:
            case "blob", _:
                return await self._blobs.blob(request, place, found["blob"])
            case "manifest", "DELETE":
                self._blobs.free(self._manifests.delete(repository, place, found["manifest"]))
                return Response(202)
            case "manifest", _:
                return await self._manifests.get(place, found["manifest"])
            case "tags", _:
                return await self._manifests.tags(request, name, place)
        return await self._manifests.referrers(request, place, found["subject"])

    async def _upload(self, request: Request, name: ImageName, upload: str) -> Response:
        if request.method not in ({"GET", "HEAD", "PATCH", "PUT", "DELETE"} if upload else {"POST"}):
            raise RegistryError("UNSUPPORTED", f"{request.method} is not for {request.path[:200]!r}")
        place = Place(self._writable(request, name).name, name.image)
        if upload:
            return await self._blobs.upload(request, name, place, upload)
        return await self._blobs.start(request, name, place)

    def _top(self, request: Request) -> Response:
        if request.path in {"/v2", "/v2/"}:
            return Response(200, _JSON, b"{}")
        if request.path != "/v2/_catalog":
            raise RegistryError("UNSUPPORTED", f"there is nothing at {request.path[:200]!r}", status=404)
        if request.method not in {"GET", "HEAD"}:
            raise RegistryError("UNSUPPORTED", f"{request.method} is not for the catalog")
        names = sorted({_full_name(place) for place in self.records.images()})
        shown, more = page(request, names)
        return listing({"repositories": shown}, "/v2/_catalog", request, shown, more=more)

    def _place(self, name: ImageName) -> Place:
        return Place(self._repository(name, "").name, name.image)

    def _repository(self, name: ImageName, location: str) -> Repository:
        found = self.repositories.find(name.project, name.repository, location)
        if found is None:
            raise unknown(name)
        return found

    def _writable(self, request: Request, name: ImageName) -> Repository:
        location = _location(request)
        found = self.repositories.find(name.project, name.repository, location)
        found = found or self.repositories.create(name.project, name.repository, location)
        if found is None:
            raise unknown(name)
        return found


def unknown(name: ImageName) -> RegistryError:
    """What Google says of a repository that is not there."""
    return RegistryError("NAME_UNKNOWN", f'Repository "{name.repository}" not found')


def _location(request: Request) -> str:
    return location_of(request.headers.get("host", ""))


def _full_name(place: Place) -> str:
    _, project, _, _, _, repository = place.repository.split("/")
    return f"{project}/{repository}/{place.image}"
