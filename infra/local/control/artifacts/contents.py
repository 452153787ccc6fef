"""What is in repositories, found by the names that Artifact Registry has for it."""

from collections.abc import Callable

from google.cloud import artifactregistry_v1 as library

from infra.local.control.artifacts.names import image_place, missing
from infra.local.registry.names import Place
from infra.local.registry.records import Records, Stored, Tag

Find = Callable[[str], library.Repository]


class Contents:
    """The images in `records`, of repositories that `find` finds (or raises ApiError, 404)."""

    def __init__(self, records: Records, find: Find) -> None:
        self.records = records
        self.find = find

    def place(self, name: str) -> Place:
        """The image of a package that is there. Raises ApiError, 404."""
        place, _ = image_place(name)
        self.find(place.repository)
        if not self.records.manifests(place):
            raise missing()
        return place

    def version(self, name: str) -> tuple[Place, Stored]:
        """A version by its name, and its image. Raises ApiError, 404."""
        place, rest = image_place(name)
        self.find(place.repository)
        return place, self.stored(place, rest.removeprefix("versions/"))

    def tag(self, name: str) -> tuple[Place, Tag]:
        """A tag by its name, and its image. Raises ApiError, 404."""
        place, rest = image_place(name)
        self.find(place.repository)
        tag = self.records.tagged(place, rest.removeprefix("tags/"))
        if tag is None:
            raise missing()
        return place, tag

    def stored(self, place: Place, digest: str) -> Stored:
        """What an image has under a digest. Raises ApiError, 404."""
        stored = self.records.manifest(place, digest)
        if stored is None:
            raise missing()
        return stored

    def tags(self, place: Place, stored: Stored) -> list[str]:
        """The names of a version's tags."""
        return [tag.name for tag in self.records.tags(place) if tag.digest == stored.digest]
