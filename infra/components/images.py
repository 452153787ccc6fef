"""Where images are kept, and who may pull them."""

from __future__ import annotations

import re
from typing import Final

import pulumi
from pulumi_gcp import artifactregistry

from infra.components.site import Site

_REFERENCE: Final = re.compile(
    r"(?P<location>[a-z0-9\-]+)-docker\.pkg\.dev/(?P<project>[^/]+)/(?P<repository>[^/]+)/.+"
)


class ImageRepository(pulumi.ComponentResource):
    """A Docker repository whose tags are never moved; ``url`` is what an image's reference starts with."""

    url: pulumi.Output[str]
    repository: artifactregistry.Repository

    def __init__(self, name: str, *, site: Site, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shipway:infra:ImageRepository", name, None, opts)
        self.repository = artifactregistry.Repository(
            name,
            project=site.project,
            location=site.region,
            repository_id=site.names.repository,
            description=site.names.title("images"),
            format="DOCKER",
            docker_config=artifactregistry.RepositoryDockerConfigArgs(immutable_tags=True),
            labels=site.names.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.concat(
            site.region, "-docker.pkg.dev/", site.project, "/", self.repository.repository_id
        )
        self.register_outputs({"url": self.url})


def may_pull(
    name: str, site: Site, image: pulumi.Output[str], opts: pulumi.ResourceOptions
) -> artifactregistry.RepositoryIamMember:
    """Let the project's Cloud Run pull ``image`` from its repository, in whichever project that is."""

    def part(group: str) -> pulumi.Output[str]:
        return image.apply(lambda reference: _parts(reference)[group])

    return artifactregistry.RepositoryIamMember(
        name,
        project=part("project"),
        location=part("location"),
        repository=part("repository"),
        role="roles/artifactregistry.reader",
        member=site.service_agent,
        opts=opts,
    )


def _parts(reference: str) -> dict[str, str]:
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise pulumi.RunError(
            f"The image {reference} is not in Artifact Registry, where Cloud Run could pull it: "
            "LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:DIGEST"
        )
    return found.groupdict()
