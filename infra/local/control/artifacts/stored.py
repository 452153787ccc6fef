"""The repositories of Artifact Registry as the registry asks for them."""

from google.cloud import artifactregistry_v1 as library

from infra.local.api.errors import ApiError
from infra.local.control.artifacts.names import check_id, place_of
from infra.local.control.artifacts.times import now
from infra.local.registry import Repository
from infra.local.registry.errors import RegistryError
from infra.local.registry.repositories import DEFAULT_LOCATION
from infra.local.state import Shelf, Store

KIND = "repository"


class StoredRepositories:
    """Those that clients have created in `store`; with `auto_create` a push creates what it needs."""

    def __init__(self, store: Store, *, auto_create: bool = False) -> None:
        self.shelf: Shelf[library.Repository] = Shelf(store, KIND, library.Repository)
        self._auto_create = auto_create

    def find(self, project: str, repository: str, location: str) -> Repository | None:
        """The repository for images; with the location "" the oldest one of that id in any.

        Raises RegistryError for one that is for something else.
        """
        for found in self.shelf.all(f"projects/{project}/locations/{location or '-'}"):
            if found.name.rpartition("/")[2] == repository:
                return _for_images(found)
        return None

    def known(self, project: str) -> bool:
        """Whether the project has any repository."""
        return next(self.shelf.all(f"projects/{project}/locations/-"), None) is not None

    def create(self, project: str, repository: str, location: str) -> Repository | None:
        """A new repository for what is about to be pushed, where this was asked for."""
        name = f"projects/{project}/locations/{location or DEFAULT_LOCATION}/repositories/{repository}"
        try:
            place_of(name)
            check_id(repository)
        except ApiError:
            return None
        if not self._auto_create:
            return None
        made = library.Repository(name=name, format_=library.Repository.Format.DOCKER)
        made.create_time = made.update_time = now()
        self.shelf.put(made)
        return Repository(name)


def _for_images(found: library.Repository) -> Repository:
    if found.format_ != library.Repository.Format.DOCKER:
        kind = library.Repository.Format(found.format_).name
        text = f'Repository "{found.name.rpartition("/")[2]}" has the format {kind}, not DOCKER'
        raise RegistryError("DENIED", text)
    return Repository(found.name, found.docker_config.immutable_tags)
