"""Artifact Registry put together: its methods for the API, over the registry that images are pushed to."""

from infra.local.api import Api
from infra.local.control.artifacts.contents import Contents
from infra.local.control.artifacts.images import Images
from infra.local.control.artifacts.names import HOST
from infra.local.control.artifacts.repositories import Repositories
from infra.local.control.artifacts.stored import StoredRepositories
from infra.local.control.artifacts.tags import Tags
from infra.local.control.operations import Operations
from infra.local.registry import Registry
from infra.local.state import Store

LIBRARY = "google.cloud.artifactregistry_v1"
_SERVICE = "google.devtools.artifactregistry.v1.ArtifactRegistry"


class Artifacts:
    """Artifact Registry over a store; from now on `registry` takes in what belongs to its repositories.

    With `auto_create` a push makes the repository that it needs.
    """

    def __init__(self, store: Store, registry: Registry, *, auto_create: bool = False) -> None:
        stored = StoredRepositories(store, auto_create=auto_create)
        registry.repositories = stored
        self._operations = Operations(store)
        self.repositories = Repositories(store, stored.shelf, registry)
        contents = Contents(registry.records, self.repositories.find)
        self._images, self._tags = Images(store, registry, contents), Tags(contents)

    def serve(self, api: Api) -> None:
        """Answer Artifact Registry's methods."""
        api.serve(_SERVICE, self.repositories)
        api.serve(_SERVICE, self._images)
        api.serve(_SERVICE, self._tags)
        api.serve("google.cloud.location.Locations", self.repositories, HOST)
        api.serve("google.longrunning.Operations", self._operations, HOST)
