"""Which repositories there are: what the registry asks Artifact Registry before it takes anything in."""

import re
from dataclasses import dataclass
from typing import Protocol

DEFAULT_LOCATION = "us-central1"
_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository for images; `name` is that of the resource: projects/P/locations/L/repositories/R."""

    name: str
    immutable_tags: bool = False


class Repositories(Protocol):
    """The repositories of all projects."""

    def find(self, project: str, repository: str, location: str) -> Repository | None:
        """The repository; with the location "" the oldest one of that id in any. Raises RegistryError."""

    def known(self, project: str) -> bool:
        """Whether the project has any repository."""

    def create(self, project: str, repository: str, location: str) -> Repository | None:
        """A new repository for what is about to be pushed; None where that is not wanted."""


class AnyRepository:
    """Every repository is there, as on a plain registry; all in one location."""

    def find(self, project: str, repository: str, location: str) -> Repository | None:
        """The repository, if it can have that name."""
        if not _ID.fullmatch(repository):
            return None
        return Repository(
            f"projects/{project}/locations/{location or DEFAULT_LOCATION}/repositories/{repository}"
        )

    def known(self, project: str) -> bool:
        """Every project has repositories."""
        return bool(project)

    def create(self, project: str, repository: str, location: str) -> Repository | None:
        """Nothing needs to be made."""
        return self.find(project, repository, location)
