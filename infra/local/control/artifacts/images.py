"""google.devtools.artifactregistry.v1: Docker images, packages and versions, as they were pushed."""

import json
from typing import Any
from urllib.parse import quote

from google.cloud import artifactregistry_v1 as library
from google.protobuf import struct_pb2

from infra.local.api.errors import ApiError, invalid, precondition
from infra.local.control.artifacts.contents import Contents
from infra.local.control.artifacts.done import Done
from infra.local.control.artifacts.names import address, missing, package_name, split
from infra.local.control.artifacts.slices import cut, ordered
from infra.local.control.artifacts.times import moment
from infra.local.registry import Registry
from infra.local.registry.document import INDEXES
from infra.local.registry.names import Place
from infra.local.registry.records import Stored
from infra.local.state import Store


class Images:
    """The methods on images, packages and versions."""

    def __init__(self, store: Store, registry: Registry, contents: Contents) -> None:
        self._registry = registry
        self._contents = contents
        self._done = Done(store)

    async def get_docker_image(self, request: library.GetDockerImageRequest) -> library.DockerImage:
        """GetDockerImage."""
        repository, rest = split(request.name, "dockerImages")
        self._contents.find(repository)
        image, _, digest = rest.rpartition("@")
        place = Place(repository, image)
        return self._docker_image(place, self._contents.stored(place, digest))

    async def list_docker_images(self, request: library.ListDockerImagesRequest) -> Any:
        """ListDockerImages."""
        self._contents.find(request.parent)
        every = [
            self._docker_image(place, stored)
            for place in self._contents.records.images(request.parent)
            for stored in self._contents.records.manifests(place)
        ]
        keys = {
            "name": lambda each: each.name,
            "upload_time": lambda each: each.upload_time,
            "update_time": lambda each: each.update_time,
            "image_size_bytes": lambda each: each.image_size_bytes,
        }
        every = ordered(every, request.order_by, keys)
        page, token = cut(every, lambda each: each.name, request.page_size, request.page_token)
        return library.ListDockerImagesResponse(docker_images=page, next_page_token=token)

    async def get_package(self, request: library.GetPackageRequest) -> library.Package:
        """GetPackage."""
        return self._package(self._contents.place(request.name))

    async def list_packages(self, request: library.ListPackagesRequest) -> Any:
        """ListPackages."""
        self._contents.find(request.parent)
        every = [self._package(place) for place in self._contents.records.images(request.parent)]
        page, token = cut(every, lambda each: each.name, request.page_size, request.page_token)
        return library.ListPackagesResponse(packages=page, next_page_token=token)

    async def delete_package(self, request: library.DeletePackageRequest) -> Any:
        """DeletePackage: with all versions and tags."""
        place = self._contents.place(request.name)
        for stored in self._contents.records.manifests(place):
            self._registry.remove_version(place, stored.digest)
        return self._done(request.name)

    async def get_version(self, request: library.GetVersionRequest) -> library.Version:
        """GetVersion; the view FULL has the tags."""
        place, stored = self._contents.version(request.name)
        return self._shown(place, stored, full=request.view == library.VersionView.FULL)

    async def list_versions(self, request: library.ListVersionsRequest) -> Any:
        """ListVersions."""
        place = self._contents.place(request.parent)
        keys = {
            "name": lambda each: each.digest,
            "create_time": lambda each: each.uploaded,
            "update_time": lambda each: each.updated,
        }
        every = ordered(self._contents.records.manifests(place), request.order_by, keys)
        page, token = cut(every, lambda each: each.digest, request.page_size, request.page_token)
        full = request.view == library.VersionView.FULL
        versions = [self._shown(place, stored, full=full) for stored in page]
        return library.ListVersionsResponse(versions=versions, next_page_token=token)

    async def delete_version(self, request: library.DeleteVersionRequest) -> Any:
        """DeleteVersion; one that has tags only with `force`."""
        place, stored = self._contents.version(request.name)
        self._check_free(place, stored, force=request.force)
        self._registry.remove_version(place, stored.digest)
        return self._done(request.name)

    async def batch_delete_versions(self, request: library.BatchDeleteVersionsRequest) -> Any:
        """BatchDeleteVersions: with their tags."""
        self._contents.place(request.parent)
        found = [self._contents.version(name) for name in request.names]
        if any(
            package_name(place) != package_name(self._contents.place(request.parent)) for place, _ in found
        ):
            text = "All versions must be in the package that is the parent."
            raise invalid(text, [("names", text)])
        if not request.validate_only:
            for place, stored in found:
                self._registry.remove_version(place, stored.digest)
        return self._done(request.parent, metadata=library.BatchDeleteVersionsMetadata())

    def _check_free(self, place: Place, stored: Stored, *, force: bool) -> None:
        if self._contents.tags(place, stored) and not force:
            raise _tagged(place, stored)
        if self._contents.records.parents(place, stored.digest):
            raise precondition("Manifest is still referenced by one or more parent images")

    def _package(self, place: Place) -> library.Package:
        versions = self._contents.records.manifests(place)
        if not versions:
            raise missing()
        return library.Package(
            name=package_name(place),
            create_time=moment(min(each.uploaded for each in versions)),
            update_time=moment(max(each.updated for each in versions)),
        )

    def _docker_image(self, place: Place, stored: Stored) -> library.DockerImage:
        return library.DockerImage(
            name=f"{place.repository}/dockerImages/{quote(place.image, safe='')}@{stored.digest}",
            uri=f"{address(place)}@{stored.digest}",
            tags=self._contents.tags(place, stored),
            image_size_bytes=stored.size,
            upload_time=moment(stored.uploaded),
            update_time=moment(stored.updated),
            media_type=stored.media_type,
            artifact_type=stored.artifact_type,
            image_manifests=self._variants(stored),
        )

    def _variants(self, stored: Stored) -> list[library.ImageManifest]:
        if stored.media_type not in INDEXES or not self._registry.blobs.has(stored.digest):
            return []
        entries = json.loads(self._registry.blobs.read(stored.digest))["manifests"]
        found = []
        for entry in entries:
            platform = entry.get("platform") or {}
            found.append(
                library.ImageManifest(
                    architecture=str(platform.get("architecture", "")),
                    os=str(platform.get("os", "")),
                    variant=str(platform.get("variant", "")),
                    digest=entry["digest"],
                    media_type=str(entry.get("mediaType", "")),
                )
            )
        return found

    def _shown(self, place: Place, stored: Stored, *, full: bool) -> library.Version:
        name = f"{package_name(place)}/versions/{stored.digest}"
        metadata = struct_pb2.Struct()  # pylint: disable=no-member  # made at run time
        metadata.update({
            "name": f"{place.repository}/dockerImages/{quote(place.image, safe='')}@{stored.digest}",
            "mediaType": stored.media_type,
            "imageSizeBytes": str(stored.size),
        })  # fmt: skip
        tags = [library.Tag(name=f"{package_name(place)}/tags/{tag}", version=name)
                for tag in (self._contents.tags(place, stored) if full else ())]  # fmt: skip
        return library.Version(
            name=name,
            create_time=moment(stored.uploaded),
            update_time=moment(stored.updated),
            metadata=metadata,
            related_tags=tags,
        )


def _tagged(place: Place, stored: Stored) -> ApiError:
    return precondition(
        f"Version {package_name(place)}/versions/{stored.digest} is tagged and cannot be deleted: "
        "delete its tags first, or set force."
    )
