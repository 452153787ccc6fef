"""References of images that are in the registry here, resolved without a detour over the network."""

import re
from typing import Protocol

from ci.engine.images import Image, ImageNotFound, Reference, parse_reference
from ci.engine.images.manifest import is_index, load, matching, pick, read_index
from infra.local.registry.app import Registry
from infra.local.registry.errors import RegistryError
from infra.local.registry.names import ImageName, Place, location_of, parse_name

_HERE = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\]|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.localhost):(\d+)")


class Source(Protocol):
    """Where images come from by name, as ci.engine.images.Images."""

    async def resolve(
        self, reference: str | Reference, platform: str = "linux/amd64", *, refresh: bool = False
    ) -> Image:
        """The image of that name, with all its blobs at hand. Raises ImageError, StoreFull."""


class Resolver:
    """A source of images that looks into `registry`, which listens at `port`, before it asks `others`.

    Its own are LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE, of projects that have repositories here, and
    localhost:PORT/PROJECT/REPOSITORY/IMAGE.
    """

    def __init__(self, registry: Registry, port: int, others: Source) -> None:
        self._registry = registry
        self._port = port
        self._others = others

    async def resolve(
        self, reference: str | Reference, platform: str = "linux/amd64", *, refresh: bool = False
    ) -> Image:
        """The image as it is in the registry now; see `Source`.

        Raises ImageError (InvalidReference, ImageNotFound, UnsupportedPlatform, BrokenImage and those of the
        other source), StoreFull.
        """
        name = parse_reference(reference) if isinstance(reference, str) else reference
        local = self._local(name)
        if local is None:
            return await self._others.resolve(name, platform, refresh=refresh)
        return self._load(name, local, platform)

    def digest(self, reference: str | Reference) -> str | None:
        """The digest that one of the registry's own names means now; None for other names.

        Raises InvalidReference, ImageNotFound.
        """
        name = parse_reference(reference) if isinstance(reference, str) else reference
        local = self._local(name)
        return None if local is None else self._digest(name, local)

    def _local(self, name: Reference) -> ImageName | None:
        here = _HERE.fullmatch(name.registry)
        if here is not None and int(here[1]) != self._port:
            return None
        if here is None and not location_of(name.registry):
            return None
        try:
            local = parse_name(name.repository)
        except RegistryError as error:
            raise ImageNotFound(f"{name.familiar} is not in the local registry: {error}") from error
        # A project that has nothing here may be a real one, of somebody else.
        return local if here is not None or self._registry.repositories.known(local.project) else None

    def _digest(self, name: Reference, local: ImageName) -> str:
        registry = self._registry
        try:
            repository = registry.repositories.find(
                local.project, local.repository, location_of(name.registry)
            )
        except RegistryError as error:
            raise ImageNotFound(f"{name.familiar} is not in the local registry: {error}") from error
        if repository is None:
            raise ImageNotFound(
                f'{name.familiar} is not in the local registry: Repository "{local.repository}" not found'
            )
        place = Place(repository.name, local.image)
        digest = name.digest
        if digest is None:
            tag = registry.records.tagged(place, name.selector)
            digest = tag.digest if tag else ""
        if registry.records.manifest(place, digest) is None or not registry.blobs.has(digest):
            raise ImageNotFound(f"{name.familiar} is not in the local registry: push it there first")
        return digest

    def _load(self, name: Reference, local: ImageName, platform: str) -> Image:
        digest, blobs = self._digest(name, local), self._registry.blobs
        data = blobs.read(digest)
        if is_index(data):
            digest = pick(read_index(data, name.familiar), platform, name.familiar).digest
        return matching(load(digest, blobs, name.familiar), platform, name.familiar)
